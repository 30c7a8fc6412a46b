import { InputError } from "../util/errors.ts";
import { type CudaMajor, driverLibrary, findCudaLibraries, type LocatedLibrary } from "./libraries.ts";
import type { SearchOptions } from "./search_folders.ts";

/** The result of {@linkcode preloadCudaLibraries} for one library. */
export interface OpenedLibrary extends LocatedLibrary {
  /** What was opened: an absolute path, or the bare soname if only the loader knew it; null if it is missing. */
  readonly opened: string | null;
  /** Files that exist but could not be opened, with the loader's message. */
  readonly failures: readonly string[];
}

/** Keeps libraries open: the loader would forget a closed one before ONNX Runtime asks for it. */
const handles: Deno.DynamicLibrary<Record<never, never>>[] = [];

/**
 * Opens each CUDA library that it finds, dependencies first, and keeps it open for the life of the process. The loader
 * then knows it by its soname, so ONNX Runtime's CUDA provider finds it without LD_LIBRARY_PATH. Call it before
 * creating a session with the CUDA provider. Never throws because of a library.
 *
 * Needs `--allow-ffi`, `--allow-read` and `--allow-env`.
 *
 * @param major CUDA version the provider was built for.
 * @param options Another environment, for tests.
 * @param wanted Which libraries to open, by soname; all if omitted.
 * @returns What was opened, and the folders searched.
 *
 * @example
 * ```ts ignore
 * import { openCudaLibraries } from "./preload.ts";
 *
 * for (const { soname, opened } of openCudaLibraries().libraries) console.log(soname, opened);
 * ```
 */
export function openCudaLibraries(
  major: CudaMajor = 13,
  options: SearchOptions = {},
  wanted: (soname: string) => boolean = () => true,
): { libraries: OpenedLibrary[]; folders: string[] } {
  const { libraries, folders } = findCudaLibraries(major, options);
  return { libraries: libraries.filter(({ soname }) => wanted(soname)).map((each) => open(each, options)), folders };
}

function open(library: LocatedLibrary, options: SearchOptions): OpenedLibrary {
  const { soname, candidates } = library;
  const failures: string[] = [];
  for (const path of soname === "libcuda.so.1" ? driverLibrary(soname, options) : [...candidates, soname]) {
    try {
      handles.push(Deno.dlopen(path, {}));
      return { ...library, opened: path, failures };
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      // Deno says "Could not open library: Could not open library: <dlerror>"
      if (path !== soname) failures.push((error as Error).message.replace(/^(Could not open library: )+/, ""));
    }
  }
  return { ...library, opened: null, failures };
}

/**
 * Opens the CUDA libraries as {@linkcode openCudaLibraries} does, for a run that uses CUDA: a missing required library
 * is an error.
 *
 * @param major CUDA version the provider was built for.
 * @param options Another environment, for tests.
 * @returns What was opened; an optional library's `opened` may be null.
 *
 * @throws {InputError} If a required library is missing; names each one, what to do, and every folder searched.
 *
 * @example
 * ```ts ignore
 * import { preloadCudaLibraries } from "./preload.ts";
 *
 * const cudart = preloadCudaLibraries().find(({ name }) => name === "CUDA runtime")!.opened!;
 * ```
 */
export function preloadCudaLibraries(major: CudaMajor = 13, options: SearchOptions = {}): OpenedLibrary[] {
  // Windows' loader searches the PATH, where the toolkit's installer puts it; macOS has no CUDA
  if (Deno.build.os !== "linux") return [];
  const { libraries, folders } = openCudaLibraries(major, options);
  const missing = libraries.filter(({ required, opened }) => required && opened === null);
  if (missing.length > 0) throw new InputError(missingLibraries(missing, folders, major));
  return libraries;
}

/** Returns the message for missing libraries. */
export function missingLibraries(missing: readonly OpenedLibrary[], folders: string[], major: CudaMajor): string {
  const toolkit = missing.some(({ soname }) => soname !== "libcuda.so.1");
  return [
    `Cannot use CUDA: ${missing.map(({ name, soname }) => `${name} (${soname})`).join(", ")} not found`,
    "To do:",
    ...new Set(missing.map(({ remedy }) => `  ${remedy}`)),
    ...toolkit
      ? [`  or install the CUDA ${major} toolkit and set CUDA_PATH to its folder if it is not /usr/local/cuda`]
      : [],
    ...missing.flatMap(({ failures }) => failures.map((failure) => `Could not open ${failure}`)),
    "Looked in the places that the system's loader knows and in:",
    ...folders.map((folder) => `  ${folder}`),
  ].join("\n");
}
