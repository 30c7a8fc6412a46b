import { equal } from "node:assert/strict";
import { threadsForAll } from "../../lib/ort/threads.ts";

const taskset = await new Deno.Command("taskset", { args: ["-p", String(Deno.pid)] }).output()
  .then(({ success }) => success, () => false);

Deno.test("threadsForAll() is ORT's own choice where all CPUs may be used, and as many as may be where not", async () => {
  equal(threadsForAll(4, 4), 0);
  equal(threadsForAll(64, 8), 8);
  if (!taskset || navigator.hardwareConcurrency < 2) return;
  const module = new URL("../../lib/ort/threads.ts", import.meta.url);
  const code = `console.log((await import(${JSON.stringify(module)})).threadsForAll())`;
  const { stdout } = await new Deno.Command("taskset", { args: ["-c", "0", Deno.execPath(), "eval", code] }).output();
  equal(new TextDecoder().decode(stdout).trim(), "1");
});
