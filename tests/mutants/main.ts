/**
 * `deno task mutants [PART OF A NAME OR FILE]`: plants faults in copies of the source, one at a time, and runs the tests
 * that must notice each. `deno task mutants list` names them. Faults in CUDA source need a GPU:
 *
 *     deno task mutants cuda build NVCC FOLDER [PART OF A NAME]   compile them, with nvcc
 *     deno task mutants cuda FOLDER [PART OF A NAME]              compare them with the reference, on a GPU
 *
 * Its exit code is 0 if every mutant was caught.
 *
 * @module
 */
import { build, runCompiled } from "./cuda.ts";
import { CUDA_MUTANTS } from "./cuda_mutants.ts";
import { huntAll, type Hunted, MUTANTS } from "./hunt.ts";

/** Mutants at a time: each test may use several threads. */
const PARALLEL = 2;

const told = ({ mutant, caughtBy, how, seconds }: Hunted) =>
  `${caughtBy ? "caught  " : "SURVIVED"} ${mutant.file.replace("lib/", "").padEnd(44)} ${mutant.name.padEnd(52)} ` +
  `${caughtBy ? `${caughtBy[0].replace("tests/", "")}: ${how}` : how} (${seconds.toFixed(0)} s)`;

async function main([first = "", ...rest]: readonly string[]): Promise<number> {
  if (first === "list") {
    for (const { file, name } of [...MUTANTS, ...CUDA_MUTANTS]) console.log(`${file.padEnd(48)} ${name}`);
    return 0;
  }
  if (first === "cuda") {
    const [flag, ...more] = rest;
    if ((flag === "build" || flag === "--build") && more.length >= 2) return await build(more[0]!, more[1]!, more[2]);
    if (flag !== undefined && !flag.startsWith("-")) return await runCompiled(flag, more[0]);
    console.error("Give build, the path of nvcc and a folder; or a folder of compiled mutants");
    return 2;
  }
  const wanted = MUTANTS.filter(({ name, file }) => name.includes(first) || file.includes(first));
  const all = await huntAll(wanted, PARALLEL, (hunted) => console.log(told(hunted)));
  const survived = all.filter(({ caughtBy }) => !caughtBy);
  console.log(`${all.length - survived.length} caught, ${survived.length} survived`);
  return all.length > 0 && survived.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
