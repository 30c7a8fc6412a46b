import { join } from "@std/path";
import { exists } from "./python_folders.ts";
import { cudaSearchFolders, type SearchOptions } from "./search_folders.ts";

/** The CUDA versions an ONNX Runtime provider may have been built for. */
export type CudaMajor = 12 | 13;

/** One library that ONNX Runtime's CUDA provider opens. */
export interface CudaLibrary {
  /** What people call it. */
  readonly name: string;
  /** What the loader calls it. */
  readonly soname: string;
  /** Whether the provider cannot be loaded without it; the others it opens when an operator needs them. */
  readonly required: boolean;
  /** What to do where it is missing. */
  readonly remedy: string;
}

/** A {@linkcode CudaLibrary} and where it was seen. */
export interface LocatedLibrary extends CudaLibrary {
  /** Absolute paths of files of that name, best first. The loader may know it even where this is empty. */
  readonly candidates: readonly string[];
}

/** The oldest NVIDIA driver that runs a CUDA version (CUDA release notes, "CUDA Toolkit and Minimum Driver Versions"). */
export const MINIMUM_DRIVER: Readonly<Record<CudaMajor, number>> = { 12: 525, 13: 580 };

/**
 * The libraries that ONNX Runtime's CUDA provider opens, each after those it depends on. The sonames are those of
 * `readelf -d libonnxruntime_providers_cuda.so`, and of cuFFT and cuDNN, which it opens by name when first needed.
 *
 * @param major CUDA version the provider was built for.
 * @returns Names, and what to do where one is missing.
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
 * @returns The libraries with the files found, and the folders looked in.
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
 * Where a library of the driver may lie, such as `libnvidia-ml.so.1`.
 *
 * @param soname What the loader calls it.
 * @param options Another environment, for tests.
 * @returns The soname itself, for the loader; then, only if one asks on (it needs to read), absolute paths.
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
  // The loader first: where a machine has two drivers' libraries (CUDA's forward compatibility), it knows which is meant
  yield soname;
  for (const folder of cudaSearchFolders(options)) {
    const path = join(folder, soname);
    if (exists(path)) yield path;
  }
}
