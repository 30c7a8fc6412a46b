/** The compiled kernels belong to the source next to them, and are launched as they were compiled. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { DTYPES, type FloatType } from "../../lib/util/dtype.ts";
import * as constants from "../../lib/kernels/constants.ts";
import { COMPILER, NVCC_VERSION, nvccVersion, ptxFile, ptxHead } from "../../lib/kernels/ptx_files.ts";
import { ROW_KERNELS } from "../../lib/kernels/row_kernels.ts";
import { structure } from "./_source.ts";

const folder = new URL("../../lib/kernels/", import.meta.url);
const launcher = Deno.readTextFileSync(new URL("step_kernels.ts", folder));
const stored = [...Deno.readDirSync(new URL("ptx/", folder))].map(({ name }) => name).sort();
const types = Object.keys(DTYPES).filter((type) => /^b?float\d+$/.test(type) && type !== "float64") as FloatType[];
const files = COMPILER.units.flatMap((unit) =>
  types.flatMap((type) => COMPILER.targets.map((target) => ({ unit, target, file: ptxFile(type, target, unit) })))
);
const name = (file: URL) => file.pathname.split("/").at(-1)!;

/** Threads of a block, as constants.ts has them; kernels that are not named take any number. */
const THREADS: Readonly<Record<string, number>> = {
  step_linear: constants.LINEAR_THREADS,
  step_columns: constants.LINEAR_THREADS,
  step_attend: constants.ATTEND_THREADS,
  step_drop: constants.DROP_THREADS,
  step_drop_mean: constants.DROP_THREADS,
  step_heads: constants.HEADS_THREADS,
  rows_norm: constants.LINEAR_THREADS,
  rows_linear: constants.ROWS_THREADS,
  rows_columns: constants.LINEAR_THREADS,
  rows_attend: constants.ATTEND_THREADS,
};

/** Structures of kernels that are not named as theirs. */
const STRUCTURES: Readonly<Record<string, string>> = {
  step_columns: "Linear",
  step_drop_mean: "Drop",
  rows_norm: "Linear",
  rows_linear: "RowsLinear",
  rows_columns: "RowsLinear",
  rows_attend: "RowsAttend",
};

Deno.test("there is PTX for each type, for Ampere and for Hopper", () => {
  deepEqual(stored, files.map(({ file }) => name(file)).sort());
});

for (const { unit, file, target } of files) {
  Deno.test(`${name(file)} was compiled from the current source, and has the kernels that are launched`, () => {
    const ptx = new TextDecoder().decode(gunzipSync(Deno.readFileSync(file)));
    equal(ptx.split("\n")[0], ptxHead(), "run `deno task kernels`");
    equal(nvccVersion(ptx), NVCC_VERSION);
    ok(ptx.includes(`.target sm_${target}\n`));
    ok(ptx.includes(`.version ${COMPILER.ptx}\n`));
    const launched = unit === "rows" ? ROW_KERNELS : [...launcher.matchAll(/"(step_\w+)"/g)].map(([, name]) => name!);
    ok(launched.length >= 5);
    const entries = new Map(ptx.split(".visible .entry ").slice(1).map((text) => [/^\w+/.exec(text)![0], text]));
    deepEqual([...entries.keys()].sort(), [...new Set(launched)].sort());
    const between = sharedBytes(ptx.slice(0, ptx.indexOf(".visible .entry ")));
    for (const [name, text] of entries) {
      // One parameter, a structure by value: as large as structs.ts makes it.
      const [, bytes] = /^\w+\(\s*\.param \.align 8 \.b8 \w+\[(\d+)\]\s*\)/.exec(text) ?? [];
      const kind = name.replace(/(?:_\d+)+$/, "");
      const argument = STRUCTURES[kind] ??
        kind.replace(/^(?:step|rows)_(.)/, (_, first: string) => first.toUpperCase());
      equal(Number(bytes), structure(argument).size, name);
      const threads = /^\.maxntid (\d+), 1, 1/m.exec(text)?.[1];
      equal(threads && Number(threads), THREADS[kind], `${name}'s __launch_bounds__`);
      const room = Number(/const STATIC_SHARED = (\d+);/.exec(launcher)?.[1]);
      ok(
        between + sharedBytes(text) <= room,
        `${name} has more static shared memory than step_kernels.ts allows for`,
      );
    }
  });
}

/** Bytes of the static shared memory that a piece of PTX declares. */
function sharedBytes(ptx: string): number {
  const declared = ptx.matchAll(/^\s*\.shared \.align \d+ \.[bfus](\d+) \w+(?:\[(\d+)\])?;/gm);
  return [...declared].reduce((sum, [, bits, count]) => sum + Number(bits) / 8 * Number(count ?? 1), 0);
}
