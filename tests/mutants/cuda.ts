/**
 * Faults in CUDA source. Compiled beforehand, on a machine with nvcc; then run on one with a GPU, which needs no nvcc.
 */
import { join, resolve } from "@std/path";
import { CUDA_MUTANTS } from "./cuda_mutants.ts";
import type { CudaMutant } from "./mutant.ts";
import { runIn, SourceCopy } from "./source_copy.ts";

const PTX = "lib/kernels/ptx";
/** The longest that compiling or comparing may take, ms. */
const PATIENCE = 900_000;
/** The folder of a mutant's PTX. */
const folderOf = ({ name }: CudaMutant) => name.replaceAll(/[^\w]+/g, "_");
const wanted = (part: string) => CUDA_MUTANTS.filter(({ name }) => name.includes(part));

function copyFiles(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { name } of Deno.readDirSync(from)) Deno.copyFileSync(join(from, name), join(to, name));
}

/** Compiles each mutant with nvcc into a folder of its own. Returns the exit code. */
export async function build(nvcc: string, folder: string, part = ""): Promise<number> {
  using copy = new SourceCopy();
  for (const mutant of wanted(part)) {
    const restore = copy.plant(mutant);
    const args = ["run", "--allow-read", "--allow-write", "--allow-run", "bench/tools/kernels.ts", "--any-nvcc", nvcc];
    const { end, out } = await runIn(copy.path, args, PATIENCE);
    restore();
    if (end !== "passed") {
      console.error(`Cannot compile "${mutant.name}": ${out}`);
      return 1;
    }
    copyFiles(join(copy.path, PTX), join(resolve(folder), folderOf(mutant)));
    console.log(`compiled ${mutant.name}`);
  }
  return 0;
}

/** Compares each compiled mutant's kernels with the reference on the GPU. Returns the exit code. */
export async function runCompiled(folder: string, part = ""): Promise<number> {
  using copy = new SourceCopy();
  const parity = (names: string) =>
    runIn(copy.path, ["run", "-A", "--no-check", "tests/parity/parity.ts", "cuda", "kernels", names], PATIENCE);
  const mutants = wanted(part);
  for (const names of new Set(mutants.map(({ parity }) => parity))) {
    const { end, out } = await parity(names);
    if (end === "passed") continue;
    console.error(`Cannot hunt mutants with "parity cuda kernels ${names}": without any it ${end}\n${out}`);
    return 1;
  }
  let survived = 0;
  for (const mutant of mutants) {
    copyFiles(join(resolve(folder), folderOf(mutant)), join(copy.path, PTX));
    const { end, out } = await parity(mutant.parity);
    if (end === "passed") survived++;
    const line = out.split("\n").find((line) => line.startsWith("FAIL")) ?? out.trim().split("\n").at(-1);
    console.log(`${end === "passed" ? "SURVIVED" : "caught  "} ${mutant.name.padEnd(60)} ${line}`);
  }
  console.log(`${mutants.length - survived} caught, ${survived} survived`);
  return mutants.length > 0 && survived === 0 ? 0 : 1;
}
