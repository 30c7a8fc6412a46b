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

/** Compares each compiled mutant's kernels with the reference on the GPU, several at a time. Returns the exit code. */
export async function runCompiled(folder: string, part = ""): Promise<number> {
  const mutants = wanted(part);
  const names = [...new Set(mutants.map(({ parity }) => parity))];
  let wrong = 0, survived = 0;
  await inParallel(names, async (names, copy) => {
    const { end, out } = await parity(copy, names);
    if (end === "passed") return;
    wrong++;
    console.error(`Cannot hunt mutants with "parity cuda kernels ${names} own": without any it ${end}\n${out}`);
  });
  if (wrong > 0) return 1;
  await inParallel(mutants, async (mutant, copy) => {
    copyFiles(join(resolve(folder), folderOf(mutant)), join(copy.path, PTX));
    const { end, out } = await parity(copy, mutant.parity);
    if (end === "passed") survived++;
    const line = out.split("\n").find((line) => line.startsWith("FAIL")) ?? out.trim().split("\n").at(-1);
    console.log(`${end === "passed" ? "SURVIVED" : "caught  "} ${mutant.name.padEnd(60)} ${line}`);
  });
  console.log(`${mutants.length - survived} caught, ${survived} survived`);
  return mutants.length > 0 && survived === 0 ? 0 : 1;
}

const parity = (copy: SourceCopy, names: string) =>
  runIn(copy.path, ["run", "-A", "--no-check", "tests/parity/parity.ts", "cuda", "kernels", names, "own"], PATIENCE);

/** Does a job for each item, each worker in a copy of the source of its own. The reference in float64 takes a CPU each. */
async function inParallel<T>(items: readonly T[], job: (item: T, copy: SourceCopy) => Promise<void>): Promise<void> {
  const left = [...items];
  const work = async () => {
    using copy = new SourceCopy();
    for (let item = left.shift(); item !== undefined; item = left.shift()) await job(item, copy);
  };
  await Promise.all(Array.from({ length: Math.min(items.length, navigator.hardwareConcurrency) }, work));
}
