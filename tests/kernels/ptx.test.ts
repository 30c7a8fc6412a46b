/** The compiled kernels belong to the source beside them. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { DTYPES } from "../../lib/dtype.ts";
import { digestOfFile } from "../../lib/digest.ts";
import { structure } from "./_source.ts";

const folder = new URL("../../lib/kernels/", import.meta.url);
const read = (file: string) => Deno.readTextFileSync(new URL(file, folder));
const files = [...Deno.readDirSync(new URL("ptx/", folder))].map(({ name }) => name).sort();
const types = Object.keys(DTYPES).filter((type) => /^b?float\d+$/.test(type) && type !== "float64");

Deno.test("there is PTX for each type, for Ampere and for Hopper", () => {
  const expected = types.flatMap((type) => [80, 90].map((target) => `step.${type}.sm_${target}.ptx.gz`));
  deepEqual(files, expected.sort());
});

for (const file of files) {
  Deno.test(`${file} was compiled from step.cu as it is, and has the kernels that are launched`, async () => {
    const ptx = new TextDecoder().decode(gunzipSync(Deno.readFileSync(new URL(`ptx/${file}`, folder))));
    const digest = await digestOfFile(new URL("step.cu", folder).pathname, "sha256");
    equal(ptx.split("\n")[0], `// step.cu, sha256 ${digest}`, "run `deno task kernels`");
    ok(ptx.includes(`.target sm_${/sm_(\d+)/.exec(file)![1]}`));
    const launched = [...read("step_kernels.ts").matchAll(/"(step_\w+)"/g)].map(([, name]) => name!);
    ok(launched.length >= 5);
    for (const name of launched) {
      // One parameter, a structure by value: as large as structs.ts makes it.
      const [, bytes] =
        new RegExp(`\\.entry ${name}\\(\\s*\\.param \\.align 8 \\.b8 \\w+\\[(\\d+)\\]\\s*\\)`).exec(ptx) ?? [];
      // Those for matrices stored transposed, and for scores with means, take what the others take.
      const of = { step_columns: "step_linear", step_drop_mean: "step_drop" }[name] ?? name;
      const argument = of.replace(/^step_(.)/, (_, first: string) => first.toUpperCase());
      equal(Number(bytes), structure(argument).size, name);
    }
  });
}
