import { join } from "@std/path";
import { exists } from "./python_folders.ts";
import { cudaSearchFolders, type SearchOptions } from "./search_folders.ts";

/** The CUDA versions an ONNX Runtime provider may have been built for. */
export type CudaMajor = 12 | 13;

/** One library that ONNX Runtime's CUDA provider opens. */
export interface CudaLibrary {
  /** Name for messages. */
  readonly name: string;
  /** Soname: the name that the loader knows. */
  readonly soname: string;
  /** Whether the provider needs it to load. It opens the other libraries when an operator needs them. */
  readonly required: boolean;
  /** What to do if it is missing. */
  readonly remedy: string;
}

/** A {@linkcode CudaLibrary} and where it was found. */
export interface LocatedLibrary extends CudaLibrary {
  /** Absolute paths of files of that name, best first. The loader may know the library even if this is empty. */
  readonly candidates: readonly string[];
}

/** The oldest NVIDIA driver that runs a CUDA version (CUDA release notes, "CUDA Toolkit and Minimum Driver Versions"). */
export const MINIMUM_DRIVER: Readonly<Record<CudaMajor, number>> = { 12: 525, 13: 580 };

/**
 * Returns the libraries that ONNX Runtime's CUDA provider opens, each after its dependencies. The sonames are those of
 * `readelf -d libonnxruntime_providers_cuda.so`, plus cuFFT and cuDNN, which it opens by name when first needed.
 *
 * @param major CUDA version the provider was built for.
 * @returns Names, and what to do if one is missing.
 *
 * @example
 * ```ts
 * import { cudaLibraries } from "./libraries.ts";
 *
 * console.log(cudaLibraries(13).map(({ soname }) => soname));
 * ```
 */
export function cudaLibraries(major: CudaMajor = 13): CudaLibrary[] {
  const pip = (name: string, version: string) =>
    major === 12 ? `pip install ${name}-cu12` : `pip install "${name}==${version}.*"`;
  return [
    {
      name: "NVIDIA driver",
      soname: "libcuda.so.1",
      required: true,
      remedy: `install the NVIDIA driver, ${MINIMUM_DRIVER[major]} or newer; in a container, start it with --gpus all`,
    },
    {
      name: "CUDA runtime",
      soname: `libcudart.so.${major}`,
      required: true,
      remedy: pip("nvidia-cuda-runtime", "13"),
    },
    { name: "cuBLASLt", soname: `libcublasLt.so.${major}`, required: true, remedy: pip("nvidia-cublas", "13") },
    { name: "cuBLAS", soname: `libcublas.so.${major}`, required: true, remedy: pip("nvidia-cublas", "13") },
    { name: "cuRAND", soname: "libcurand.so.10", required: true, remedy: pip("nvidia-curand", "10") },
    {
      name: "cuFFT",
      soname: `libcufft.so.${major - 1}`,
      required: false,
      remedy: pip("nvidia-cufft", "12"),
    },
    { name: "cuDNN", soname: "libcudnn.so.9", required: false, remedy: `pip install nvidia-cudnn-cu${major}` },
  ];
}

/**
 * Looks for the libraries of {@linkcode cudaLibraries} in the folders of `cudaSearchFolders`. Opens nothing.
 *
 * @param major CUDA version the provider was built for.
 * @param options Another environment, for tests.
 * @returns The libraries with the files found, and the folders searched.
 *
 * @example
 * ```ts
 * import { findCudaLibraries } from "./libraries.ts";
 *
 * const { libraries, folders } = findCudaLibraries(13);
 * for (const { soname, candidates } of libraries) console.log(soname, candidates[0] ?? `not in ${folders.length} folders`);
 * ```
 */
export function findCudaLibraries(
  major: CudaMajor = 13,
  options: SearchOptions = {},
): { libraries: LocatedLibrary[]; folders: string[] } {
  const folders = cudaSearchFolders(options);
  const libraries = cudaLibraries(major).map((library) => ({
    ...library,
    candidates: folders.map((folder) => join(folder, library.soname)).filter(exists),
  }));
  return { libraries, folders };
}

/**
 * Yields the places where a library of the driver may be, such as `libnvidia-ml.so.1`.
 *
 * @param soname Soname: the name that the loader knows.
 * @param options Another environment, for tests.
 * @returns The soname itself, for the loader; then absolute paths. Only these need read permission: they are looked up
 * on demand.
 *
 * @example
 * ```ts
 * import { driverLibrary } from "./libraries.ts";
 *
 * const [soname] = driverLibrary("libnvidia-ml.so.1");
 * console.log(soname); // "libnvidia-ml.so.1"
 * ```
 */
export function* driverLibrary(soname: string, options: SearchOptions = {}): Generator<string> {
  // Loader first: if a machine has libraries of two drivers (CUDA's forward compatibility), it knows which applies
  yield soname;
  for (const folder of cudaSearchFolders(options)) {
    const path = join(folder, soname);
    if (exists(path)) yield path;
  }
}
