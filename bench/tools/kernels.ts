/**
 * `deno task kernels`: compiles lib/kernels/cuda to PTX, or checks the PTX in git. See docs/kernels.md.
 *
 * @module
 */

import { gunzipSync, gzipSync } from "node:zlib";
import { parseArgs } from "@std/cli";
import { fromFileUrl } from "@std/path";
import type { FloatType } from "../../lib/util/dtype.ts";
import { InputError } from "../../lib/util/errors.ts";
import { CUDA_FOLDER } from "../../lib/kernels/cuda_source.ts";
import { COMPILER, NVCC_VERSION, nvccVersion, ptxFile, ptxHead, type Unit } from "../../lib/kernels/ptx_files.ts";

const HELP = `Compiles the CUDA kernels (lib/kernels/cuda) to PTX (lib/kernels/ptx), with nvcc ${NVCC_VERSION}.

Usage: deno task kernels [--check] [--any-nvcc] [PATH OF NVCC]

  --check     compile, compare with the files in git, and write nothing
  --any-nvcc  allow an nvcc of another version

Ends with code 0 if all is well; 1 if the source does not compile, or --check finds a difference; 2 if something is wrong
with the command or the nvcc; 3 if --check was skipped because nvcc was not found.`;

/** Runs nvcc and returns what it prints; undefined if the program does not exist. */
function run(nvcc: string, args: readonly string[]): { ok: boolean; stdout: string; stderr: string } | undefined {
  try {
    const { success, stdout, stderr } = new Deno.Command(nvcc, { args: [...args] }).outputSync();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { ok: success, stdout: text(stdout), stderr: text(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new InputError(`Cannot run ${nvcc}: it is not a program; give the path of nvcc itself`);
    }
    throw error;
  }
}

/** Returns a unit's PTX for a type and a target, with its head. */
function compile(nvcc: string, head: string, unit: Unit, type: FloatType, target: number): string {
  const { options, types, ptx } = COMPILER;
  const source = fromFileUrl(new URL(`${unit}.cu`, CUDA_FOLDER));
  const result = run(nvcc, [...options, `-arch=compute_${target}`, `-DTYPE=${types[type]}`, source, "-o", "-"]);
  if (!result?.ok) {
    console.error(`Cannot compile ${source} for ${type}, compute ${target}: ${result?.stderr.trim()}`);
    Deno.exit(1);
  }
  return `${head}\n${result.stdout.replace(/^\.version .*$/m, `.version ${ptx}`)}`;
}

/** Returns the PTX in git; empty if the file does not exist. */
function stored(file: URL): string {
  try {
    return new TextDecoder().decode(gunzipSync(Deno.readFileSync(file)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Returns the first line in which two texts differ, counted from 1. */
function firstDifference(a: string, b: string): number {
  const [x, y] = [a.split("\n"), b.split("\n")];
  return x.findIndex((line, i) => line !== y[i]) + 1 || x.length + 1;
}

/** Compiles or compares all, and returns the exit code. */
function main(): number {
  const { _: paths, check, help, "any-nvcc": anyNvcc } = parseArgs(Deno.args, {
    boolean: ["check", "any-nvcc", "help"],
    string: ["_"],
    unknown: (name) => {
      if (!name.startsWith("-")) return;
      throw new InputError(`Cannot read ${name}: the flags are --check, --any-nvcc and --help`);
    },
  });
  if (help) {
    console.log(HELP);
    return 0;
  }
  if (paths.length > 1) throw new InputError(`Cannot use ${paths.length} paths of nvcc: give one`);
  const nvcc = String(paths[0] ?? "nvcc");
  const about = run(nvcc, ["--version"]);
  if (about === undefined) {
    const missing = `${nvcc} was not found: docs/kernels.md says how to get nvcc ${NVCC_VERSION}`;
    if (!check) throw new InputError(`Cannot compile: ${missing}`);
    console.error(`SKIPPED, nothing was checked: ${missing}`);
    return 3;
  }
  const version = nvccVersion(about.stdout);
  if (version === undefined) throw new InputError(`Cannot use ${nvcc}: its --version names no CUDA compiler`);
  if (version !== NVCC_VERSION) {
    const other = `${nvcc} is ${version}, the PTX in git was made by ${NVCC_VERSION}`;
    if (!anyNvcc) {
      throw new InputError(`Cannot use this nvcc: ${other}; use that version, or allow this one with --any-nvcc`);
    }
    console.error(`Warning: ${other}. Measure the new PTX, and set NVCC_VERSION in ptx_files.ts.`);
  }

  const head = ptxHead(), types = Object.keys(COMPILER.types) as FloatType[];
  let different = 0;
  for (const unit of COMPILER.units) {
    for (const [type, target] of types.flatMap((type) => COMPILER.targets.map((target) => [type, target] as const))) {
      const file = ptxFile(type, target, unit), name = file.pathname.split("/").at(-1)!;
      const ptx = compile(nvcc, head, unit, type, target), before = stored(file);
      if (ptx === before) {
        console.log(`${name}  ${check ? "same" : "unchanged"}`);
        continue;
      }
      different++;
      console.log(`${name}  ${check ? "DIFFERENT from" : "changed in"} line ${firstDifference(ptx, before)}`);
      if (check) continue;
      Deno.mkdirSync(new URL(".", file), { recursive: true });
      Deno.writeFileSync(file, gzipSync(ptx, { level: 9 }));
    }
  }
  if (!check && different > 0) console.log("Now run `deno task assets`: it lists the new files' SHA-256");
  if (!check || different === 0) return 0;
  console.error(`${different} of the files in git differ from the compiled source: run \`deno task kernels\``);
  return 1;
}

if (import.meta.main) {
  try {
    Deno.exitCode = main();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.error(error.message);
    Deno.exitCode = 2;
  }
}
