/**
 * `deno task doctor`: reports what the benchmark needs and whether this machine has it, each with its path or what to
 * do. The last line says whether --device cuda would work. Exit code 0 if at least the CPU works, else 1.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { dirname, fromFileUrl, join } from "@std/path";
import { printableLines } from "../../lib/util/printable.ts";
import { describeLibraries } from "../../lib/cuda/describe.ts";
import { MINIMUM_DRIVER } from "../../lib/cuda/libraries.ts";
import { openCudaLibraries, type OpenedLibrary } from "../../lib/cuda/preload.ts";
import { cudaMajorOf, isOfVersion } from "../../lib/cuda/provider.ts";
import { InputError } from "../../lib/util/errors.ts";
import { clockReasons, type GpuMoment } from "../../lib/nvml/conditions.ts";
import { type GpuDescription, gpuInfo } from "../../lib/nvml/gpu_info.ts";
import { Nvml } from "../../lib/nvml/nvml.ts";
import { findOnnxRuntime } from "../../lib/ort/find.ts";
import { Ort } from "../../lib/ort/ort.ts";
import { loadCanvas } from "../../lib/report/charts/canvas.ts";
import { hostEnvironment } from "../../lib/report/results/environment.ts";
import { openRuntime } from "../../lib/engine/open_runtime.ts";

const HELP = `Reports what the benchmark needs and whether this machine has it, and what to do about the rest.

Usage: deno task doctor [--json]

  --json   the same for machines, on stdout
  --help   this text

Exit code: 0 if the benchmark runs at least on the CPU, 1 if not.`;

/** What was found. For a missing part, `problem` says why and what to do. */
export interface Diagnosis {
  host: ReturnType<typeof hostEnvironment>;
  onnxruntime: { path?: string; source?: string; version?: string; providers?: string[]; problem?: string };
  cuda_provider: { path?: string; cuda?: number; problem?: string };
  /** The GPUs, and what each does now. */
  gpus: (GpuDescription & { now: GpuMoment })[];
  gpu_problem?: string;
  cuda_libraries: Pick<OpenedLibrary, "name" | "soname" | "required" | "opened" | "remedy" | "failures">[];
  cuda_folders: string[];
  canvas: { name?: string; problem?: string };
  model: { path: string; problem?: string };
  /** Whether the benchmark runs on this machine's CPU. */
  cpu: boolean;
  /** Whether it runs on its GPU: tried, not guessed. */
  cuda: boolean;
  cuda_problem?: string;
}

/** Looks for everything the benchmark needs. A missing part is reported, not thrown. */
export async function diagnose(): Promise<Diagnosis> {
  const onnxruntime = attempt(() => {
    const { libraryPath, source } = findOnnxRuntime();
    const { version, providers } = new Ort(libraryPath);
    return { path: libraryPath, source, version, providers };
  });
  const provider = await attemptAsync(() => checkProvider(onnxruntime.path, onnxruntime.version));
  const major = provider.cuda ?? 13;
  const { libraries, folders } = openCudaLibraries(major);
  const gpus = attempt(() => ({ list: listGpus() }));
  const canvas = await attemptAsync(async () => ({ name: (await loadCanvas()).name as string }));
  const path = fromFileUrl(import.meta.resolve("../../lib/assets/novel-neox-8m"));
  const model = { path, ...attempt(() => checkModel(path)) };
  // A provider of another version is not tried: it would crash this process instead of failing
  const cuda = gpus.problem !== undefined ? gpus : provider.problem !== undefined ? provider : attempt(() => {
    openRuntime("cuda").device[Symbol.dispose]();
    return {};
  });
  return {
    host: hostEnvironment(),
    onnxruntime,
    cuda_provider: provider,
    gpus: gpus.list ?? [],
    ...(gpus.problem === undefined ? {} : { gpu_problem: gpus.problem }),
    cuda_libraries: libraries,
    cuda_folders: folders,
    canvas,
    model,
    cpu: onnxruntime.problem === undefined && model.problem === undefined,
    cuda: cuda.problem === undefined,
    ...(cuda.problem === undefined ? {} : { cuda_problem: cuda.problem }),
  };
}

async function checkProvider(library?: string, version?: string): Promise<{ path?: string; cuda?: 12 | 13 }> {
  if (library === undefined || version === undefined) {
    throw new InputError("ONNX Runtime itself is missing, and so its CUDA provider");
  }
  if (!findOnnxRuntime().hasCudaProvider) {
    throw new InputError("ONNX Runtime has no CUDA provider next to it: run `deno task setup:cuda`");
  }
  if (Deno.build.os !== "linux") return {};
  const path = join(dirname(library), "libonnxruntime_providers_cuda.so");
  if (!await isOfVersion(path, version)) {
    throw new InputError(
      `${path} is not of version ${version}, unlike the library next to it: run \`deno task setup:cuda\``,
    );
  }
  const cuda = cudaMajorOf(path);
  if (cuda === null) throw new InputError(`${path} was built for neither CUDA 12 nor 13`);
  return { path, cuda };
}

function listGpus(): Diagnosis["gpus"] {
  using nvml = new Nvml();
  return Array.from({ length: nvml.deviceCount }, (_, index) => {
    const gpu = nvml.deviceByIndex(index);
    return { ...gpuInfo(nvml, gpu), now: gpu.conditions(null) };
  });
}

/** What a GPU does now, as far as it says. Other work on it, and lower clocks, disturb a measurement. */
function describeMoment({ power_mw, temperature_c, reasons, other_processes }: GpuMoment): string[] {
  const parts = [
    ...power_mw === null ? [] : [`${Math.round(power_mw / 1000)} W`],
    ...temperature_c === null ? [] : [`${temperature_c} °C`],
    ...reasons === null ? [] : [`clocks held by ${clockReasons(reasons).join(", ") || "nothing"}`],
    ...other_processes === null ? [] : [`${other_processes} process${other_processes === 1 ? "" : "es"} listed on it`],
  ];
  return parts.length === 0 ? [] : [`now ${parts.join(", ")}`];
}

function checkModel(folder: string): Record<never, never> {
  for (const file of ["config.json", "tokenizer.json", "model.safetensors"]) {
    if (Deno.statSync(join(folder, file)).size === 0) throw new InputError(`${file} is empty`);
  }
  return {};
}

/** Formats the report for people. */
export function render(found: Diagnosis): string {
  const { host, onnxruntime, cuda_provider, gpus, canvas, model } = found;
  const indent = `\n${" ".repeat(24)}`;
  const line = (ok: boolean, name: string, ...rest: string[]) =>
    `${ok ? "ok      " : "missing "} ${name.padEnd(14)} ${rest.join("\n").replaceAll(/\n\s*/g, indent)}`;
  const memory = `${(host.memory_bytes / 2 ** 30).toFixed(1)} GiB`;
  const driver = MINIMUM_DRIVER[(cuda_provider.cuda ?? 13) as 12 | 13];
  const tooOld = gpus[0] !== undefined && Number.parseInt(gpus[0].driver) < driver;
  return [
    `kvcompress ${host.kvcompress}, Deno ${host.deno}, ${host.os}, ${host.cpu.model} (${host.cpu.cores} cores), ${memory}`,
    "",
    onnxruntime.problem === undefined
      ? line(
        true,
        "ONNX Runtime",
        `${onnxruntime.version}, by ${onnxruntime.source}`,
        onnxruntime.path!,
        `has ${onnxruntime.providers!.join(", ")}`,
      )
      : line(false, "ONNX Runtime", onnxruntime.problem),
    line(model.problem === undefined, "default model", model.problem ?? model.path),
    line(canvas.problem === undefined, "charts", canvas.problem ?? canvas.name!),
    "",
    ...(gpus.length === 0 ? [line(false, "GPU", found.gpu_problem ?? "NVML lists none")] : gpus.map((gpu) =>
      line(
        true,
        `GPU ${gpu.index}`,
        `${gpu.name}, ${(gpu.memory_bytes / 2 ** 30).toFixed(0)} GiB`,
        `driver ${gpu.driver}, for CUDA up to ${gpu.cuda_driver}`,
        `clocks ${gpu.clocks_mhz.sm} of ${gpu.clocks_mhz.max_sm} MHz, memory ${gpu.clocks_mhz.memory} of ${gpu.clocks_mhz.max_memory} MHz`,
        ...describeMoment(gpu.now),
      )
    )),
    ...tooOld ? [`${indent.slice(1)}too old: the CUDA provider needs driver ${driver} or newer`] : [],
    cuda_provider.problem === undefined
      ? line(true, "CUDA provider", `for CUDA ${cuda_provider.cuda ?? "?"}`, cuda_provider.path ?? "")
      : line(false, "CUDA provider", cuda_provider.problem),
    ...describeLibraries(found.cuda_libraries.map((library) => ({ ...library, candidates: [] }))),
    ...found.cuda_libraries.some(({ required, opened }) => required && opened === null)
      ? ["", "Looked for CUDA's libraries in what the loader knows and in:", ...found.cuda_folders.map((f) => `  ${f}`)]
      : [],
    "",
    // The error of the attempt, if it is not above already
    ...found.cuda_problem && ![found.gpu_problem, cuda_provider.problem].includes(found.cuda_problem)
      ? [found.cuda_problem, ""]
      : [],
    found.cpu ? "--device cpu would work" : "--device cpu would not work: see above",
    found.cuda
      ? `--device cuda would work: ${gpus[0]?.name ?? "a GPU"}`
      : `--device cuda would not work: ${found.cuda_problem!.split("\n")[0]}`,
  ].join("\n");
}

function attempt<T extends object>(get: () => T): Partial<T> & { problem?: string } {
  try {
    return get();
  } catch (error) {
    return { problem: problemOf(error) } as Partial<T> & { problem: string };
  }
}

async function attemptAsync<T extends object>(get: () => Promise<T>): Promise<Partial<T> & { problem?: string }> {
  try {
    return await get();
  } catch (error) {
    return { problem: problemOf(error) } as Partial<T> & { problem: string };
  }
}

function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

if (import.meta.main) {
  const unknown: string[] = [];
  const flags = parseArgs(Deno.args, { boolean: ["json", "help"], unknown: (arg) => void unknown.push(arg) });
  if (unknown.length > 0) {
    console.error(`Cannot read ${unknown[0]}: the flags are --json and --help`);
    Deno.exit(2);
  }
  if (flags.help) {
    console.log(HELP);
  } else {
    const found = await diagnose();
    console.log(flags.json ? JSON.stringify(found, null, 2) : printableLines(render(found)));
    Deno.exit(found.cpu ? 0 : 1);
  }
}
