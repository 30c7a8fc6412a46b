/**
 * `deno task setup:cuda`: puts ONNX Runtime's CUDA provider next to libonnxruntime, in a folder of the user's cache
 * that the benchmark searches by itself. Reports what is still missing for --device cuda. Running it again does no
 * harm.
 *
 * The provider cannot come with npm's onnxruntime-node: that package's install script would fetch it from a host that
 * many machines do not reach. It is taken from onnxruntime-gpu in a Python environment if that has the same version,
 * else from an npm package that contains it.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { dirname, join } from "@std/path";
import { envFor, NETWORK_ENV } from "../../lib/process/child_env.ts";
import { describeLibraries } from "../../lib/cuda/describe.ts";
import { openCudaLibraries } from "../../lib/cuda/preload.ts";
import { cudaMajorOf, isOfVersion } from "../../lib/cuda/provider.ts";
import { exists, sitePackages } from "../../lib/cuda/python_folders.ts";
import { printableLines } from "../../lib/util/printable.ts";
import { InputError } from "../../lib/util/errors.ts";
import { findOnnxRuntime, locate, type OrtLocation } from "../../lib/ort/find.ts";
import { Ort } from "../../lib/ort/ort.ts";
import { ORT_VERSION, setupFolder } from "../../lib/ort/setup_folder.ts";

const HELP = `Makes --device cuda possible: puts ONNX Runtime's CUDA provider next to libonnxruntime.

Usage: deno task setup:cuda

Takes the provider from a Python environment with onnxruntime-gpu ${ORT_VERSION}, else from npm (a download of 179 MB).
Does nothing if ORT_DIR names a folder that already has it.`;

const CUDA = "libonnxruntime_providers_cuda.so";
const SHARED = "libonnxruntime_providers_shared.so";
/** The npm package with {@linkcode ORT_VERSION}'s provider, built for CUDA 13. */
const PACKAGE = "com.github.asus4.onnxruntime.linux-x64-gpu";
const PACKAGE_VERSION = "0.4.9";
const PACKAGE_FOLDER = ["Plugins", "Linux", "x64"];

/** Sources and output of the setup, which tests replace. */
export interface SetupOptions {
  /** Reads an environment variable; `Deno.env.get` unless given. */
  readonly env?: (name: string) => string | undefined;
  /** Downloads the npm package into a folder, and returns the folder of the provider's files. */
  readonly download?: (into: string) => Promise<string>;
  /** Receives what was done, one line each. */
  readonly say: (line: string) => void;
}

/**
 * Makes the folder, unless it exists.
 *
 * @param options Sources and output.
 * @returns Location of libonnxruntime and its provider.
 *
 * @throws {InputError} If this platform has no CUDA provider, ORT_DIR is in the way, or the provider cannot be
 * obtained.
 *
 * @example
 * ```ts ignore
 * import { setupCuda } from "./setup_cuda.ts";
 *
 * const { folder } = await setupCuda({ say: console.log });
 * ```
 */
export async function setupCuda(options: SetupOptions): Promise<OrtLocation> {
  const { say } = options;
  const env = options.env ?? Deno.env.get;
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
    throw new InputError(
      `Cannot set up CUDA on ${Deno.build.os} ${Deno.build.arch}: ONNX Runtime's CUDA provider exists for Linux on x86_64 only; everything runs on the CPU here`,
    );
  }
  if (env("ORT_DIR")) return await checkOrtDir(env, say);
  const folder = setupFolder(env);
  if (folder === null) throw new InputError("Cannot set up CUDA: neither XDG_CACHE_HOME nor HOME says where to");

  const there = await complete(folder);
  if (there !== null) {
    say(`Already there: ${folder}`);
    return there;
  }
  const library = findOnnxRuntime({ env: () => undefined }); // npm's library, even if an unfinished folder has one
  say(`ONNX Runtime ${library.versionHint ?? ""} is npm's: ${library.libraryPath}`);
  Deno.mkdirSync(dirname(folder), { recursive: true });
  // On the same disk as the folder, so that files need not be copied
  const part = Deno.makeTempDirSync({ dir: dirname(folder), prefix: "setup-" });
  try {
    let from = await pythonProvider(env, say);
    if (from === null) {
      say(`Getting ${PACKAGE}@${PACKAGE_VERSION} from npm (179 MB)`);
      from = await (options.download ?? download)(join(part, "npm"));
      if (!await isOfVersion(join(from, CUDA), ORT_VERSION)) {
        throw new InputError(`Cannot use ${PACKAGE}@${PACKAGE_VERSION}: its CUDA provider is not of ${ORT_VERSION}`);
      }
    }
    const made = join(part, "folder");
    Deno.mkdirSync(made);
    place(library.libraryPath, join(made, "libonnxruntime.so.1"));
    place(join(from, CUDA), join(made, CUDA));
    place(join(from, SHARED), join(made, SHARED));
    if (exists(folder)) Deno.removeSync(folder, { recursive: true }); // left by an interrupted or older setup
    Deno.renameSync(made, folder);
  } finally {
    Deno.removeSync(part, { recursive: true });
  }
  const done = await complete(folder);
  if (done === null) throw new InputError(`Cannot set up CUDA: ${folder} is not complete`);
  say(`Made ${folder}: libonnxruntime.so.1, ${CUDA}, ${SHARED}`);
  return done;
}

async function checkOrtDir(env: (name: string) => string | undefined, say: (line: string) => void) {
  const location = findOnnxRuntime({ env });
  const { folder } = location;
  if (!location.hasCudaProvider) {
    throw new InputError(
      `Cannot set up CUDA in ORT_DIR=${folder}: it has ONNX Runtime without ${CUDA} and ${SHARED}; put those of the same version there, or unset ORT_DIR and run this again`,
    );
  }
  const { version } = new Ort(location.libraryPath);
  if (!await isOfVersion(join(folder, CUDA), version)) {
    throw new InputError(
      `Cannot use ORT_DIR=${folder}: its ${CUDA} is not of version ${version}, unlike the library next to it`,
    );
  }
  say(`ORT_DIR=${folder} has ONNX Runtime ${version} and its CUDA provider: nothing to do`);
  return location;
}

/** Returns the folder's location if it has all files in the right version. */
async function complete(folder: string): Promise<OrtLocation | null> {
  const location = locate(folder, "setup:cuda", []);
  return location?.hasCudaProvider && await isOfVersion(join(folder, CUDA), ORT_VERSION) ? location : null;
}

/**
 * Returns the provider's folder in a Python environment, if its onnxruntime-gpu has the project's version and CUDA 13;
 * else null.
 */
async function pythonProvider(env: (name: string) => string | undefined, say: (line: string) => void) {
  for (const site of sitePackages(env)) {
    const folder = join(site, "onnxruntime", "capi");
    if (!exists(join(folder, CUDA)) || !exists(join(folder, SHARED))) continue;
    const cuda = cudaMajorOf(join(folder, CUDA));
    const same = await isOfVersion(join(folder, CUDA), ORT_VERSION);
    if (same && cuda === 13) {
      say(`Found onnxruntime-gpu ${ORT_VERSION} for CUDA 13 in Python: ${folder}`);
      return folder;
    }
    say(
      `Not used: onnxruntime-gpu in ${folder} (${same ? `it is for CUDA ${cuda ?? "?"}` : `it is not ${ORT_VERSION}`})`,
    );
  }
  return null;
}

/** Downloads the npm package with Deno's own client, which uses its cache and registry settings. */
async function download(into: string): Promise<string> {
  Deno.mkdirSync(into);
  const config = { nodeModulesDir: "auto", imports: { provider: `npm:${PACKAGE}@${PACKAGE_VERSION}` } };
  Deno.writeTextFileSync(join(into, "deno.json"), JSON.stringify(config));
  const { success, code } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet"],
    cwd: into,
    // Deno starts nothing while LD_LIBRARY_PATH or its like is set.
    clearEnv: true,
    env: envFor([...NETWORK_ENV, "NPM_CONFIG_REGISTRY", "npm_config_registry", "XDG_CACHE_HOME"]),
    stdout: "null",
    stderr: "inherit",
  }).output();
  if (!success) {
    throw new InputError(
      `Cannot get ${PACKAGE}@${PACKAGE_VERSION} from npm: \`deno install\` ended with code ${code}. Run this on a machine that reaches npm, copy the folder it makes here and set ORT_DIR to it; or pip install onnxruntime-gpu==${ORT_VERSION}`,
    );
  }
  return join(into, "node_modules", PACKAGE, ...PACKAGE_FOLDER);
}

/** Hard-links a file, so that it takes no space and stays when its source is deleted. Copies it across disks. */
function place(from: string, to: string): void {
  const file = Deno.realPathSync(from);
  try {
    Deno.linkSync(file, to);
  } catch {
    Deno.copyFileSync(file, to);
  }
}

/** Reports which parts of CUDA itself were found. Returns whether all required parts were. */
function checkCuda(provider: string, say: (line: string) => void): boolean {
  const major = cudaMajorOf(provider) ?? 13;
  say("");
  say(`What the provider, built for CUDA ${major}, needs:`);
  const { libraries, folders } = openCudaLibraries(major);
  describeLibraries(libraries).forEach((line) => say(`  ${line}`));
  const ready = libraries.every(({ required, opened }) => !required || opened !== null);
  if (!ready) {
    say("Looked for the missing libraries in the system loader's folders and in:");
    folders.forEach((folder) => say(`  ${folder}`));
    say(`CUDA ${major} elsewhere: set CUDA_PATH to its folder`);
  }
  return ready;
}

async function main(): Promise<number> {
  const unknown: string[] = [];
  const flags = parseArgs(Deno.args, { boolean: ["help"], unknown: (arg) => void unknown.push(arg) });
  if (unknown.length > 0) throw new InputError(`Cannot read ${unknown[0]}: the only flag is --help`);
  if (flags.help) {
    console.log(HELP);
    return 0;
  }
  const location = await setupCuda({ say: console.log });
  const ort = new Ort(location.libraryPath);
  console.log(`It opens as ONNX Runtime ${ort.version} with ${ort.providers.join(", ")}`);
  const ready = checkCuda(join(location.folder, CUDA), console.log);
  console.log("");
  if (location.source === "setup:cuda") {
    console.log("For a machine without network: copy the folder there and set ORT_DIR to it");
  }
  console.log(`${ready ? "Next" : "When these are there"}: deno task doctor`);
  return 0;
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.error(printableLines(error.message));
    Deno.exit(2);
  }
}
