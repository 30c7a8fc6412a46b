/**
 * `deno task kernels`: compiles lib/kernels/step.cu to PTX, for those who change it. Takes nvcc of any CUDA from 12.0 on,
 * from the PATH or as the one argument.
 *
 * @module
 */

import { gzipSync } from "node:zlib";
import { InputError } from "../lib/errors.ts";
import { digestOfFile } from "../lib/digest.ts";

const SOURCE = new URL("../lib/kernels/step.cu", import.meta.url);
const TYPES = { float16: "F16", bfloat16: "BF16", float32: "float" } as const;
/** Ampere, and Hopper with what only it has. */
const TARGETS = [80, 90] as const;
/** The PTX that drivers of CUDA 12.3 and later take, and that has all instructions used. */
const PTX_VERSION = "8.3";

function compile(nvcc: string, type: keyof typeof TYPES, target: number): string {
  const { success, stdout, stderr } = new Deno.Command(nvcc, {
    args: ["-ptx", "-std=c++17", "-O3", `-arch=compute_${target}`, `-DTYPE=${TYPES[type]}`, SOURCE.pathname, "-o", "-"],
  }).outputSync();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new InputError(`Cannot compile ${SOURCE.pathname}: ${text(stderr)}`);
  return text(stdout).replace(/^\.version .*$/m, `.version ${PTX_VERSION}`);
}

const nvcc = Deno.args[0] ?? "nvcc";
try {
  const digest = await digestOfFile(SOURCE.pathname, "sha256");
  for (const type of Object.keys(TYPES) as (keyof typeof TYPES)[]) {
    for (const target of TARGETS) {
      // What it was compiled from is in its first line: a test holds it against the source that is there.
      const ptx = `// step.cu, sha256 ${digest}\n${compile(nvcc, type, target)}`;
      const file = new URL(`../lib/kernels/ptx/step.${type}.sm_${target}.ptx.gz`, import.meta.url);
      Deno.mkdirSync(new URL(".", file), { recursive: true });
      Deno.writeFileSync(file, gzipSync(ptx, { level: 9 }));
      console.log(`${file.pathname.split("/").at(-1)}  ${ptx.length} bytes of PTX`);
    }
  }
} catch (error) {
  if (error instanceof Deno.errors.NotFound) console.error(`Cannot find ${nvcc}: give nvcc's path`);
  else if (error instanceof InputError) console.error(error.message);
  else throw error;
  Deno.exit(1);
}
