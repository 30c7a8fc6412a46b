/** The program itself runs in all its parts: what it compares, tests of the rooms hold too. */
import { equal, match } from "node:assert/strict";
import { project } from "../bench/_bench.ts";

async function parity(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "parity", ...args],
    cwd: project,
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

for (
  const args of [["kernels", "gpt2, "], ["families", "gpt2"], ["chunks"], [
    "streaming_256, skip none, seed, float32 fused",
  ]]
) {
  Deno.test(`parity cpu ${args.join(" ")} compares something, and it holds`, async () => {
    const { code, out, err } = await parity("cpu", ...args);
    equal(code, 0, out + err);
    match(out, /^[1-9]\d* passed, 0 failed, \d+ refused, 0 empty$/m);
  });
}

Deno.test("parity fails where nothing is compared", async () => {
  const { code, out } = await parity("cpu", "no such name");
  equal(code, 1);
  match(out, /^0 passed, 0 failed, 0 refused, 0 empty$/m);
});
