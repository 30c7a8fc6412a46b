import { equal } from "node:assert/strict";
import { cpus } from "node:os";
import { threadsForAll } from "../../lib/ort/threads.ts";

/** A CPU that this process may use, by its number; none where there is no `taskset`. */
const cpu = await new Deno.Command("taskset", { args: ["-cp", String(Deno.pid)] }).output()
  .then(({ stdout }) => /: (\d+)/.exec(new TextDecoder().decode(stdout))?.[1], () => undefined);

Deno.test("threadsForAll() is ORT's own choice where all CPUs may be used, and as many as may be where not", async () => {
  equal(threadsForAll(4, 4), 0);
  equal(threadsForAll(64, 8), 8);
  if (cpu === undefined || cpus().length < 2) return;
  const module = new URL("../../lib/ort/threads.ts", import.meta.url);
  const code = `console.log((await import(${JSON.stringify(module)})).threadsForAll())`;
  const { stdout } = await new Deno.Command("taskset", { args: ["-c", cpu, Deno.execPath(), "eval", code] }).output();
  equal(new TextDecoder().decode(stdout).trim(), "1");
});
