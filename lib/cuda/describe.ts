import type { OpenedLibrary } from "./preload.ts";

/**
 * Describes each CUDA library in one line: where it is, or how to get it.
 *
 * @param libraries What `openCudaLibraries` found.
 * @returns Lines in columns, without a line break.
 *
 * @example
 * ```ts
 * import { describeLibraries } from "./describe.ts";
 * import { cudaLibraries } from "./libraries.ts";
 *
 * const [driver] = cudaLibraries(13);
 * const lines = describeLibraries([{ ...driver!, candidates: [], opened: "/usr/lib64/libcuda.so.1", failures: [] }]);
 * console.log(lines[0]); // "ok       NVIDIA driver  libcuda.so.1        /usr/lib64/libcuda.so.1"
 * ```
 */
export function describeLibraries(libraries: readonly OpenedLibrary[]): string[] {
  return libraries.flatMap(({ name, soname, required, opened, remedy, failures }) => {
    const state = opened !== null ? "ok" : required ? "missing" : "optional";
    const where = opened === null
      ? `not found: ${remedy}`
      : opened === soname
      ? "known to the system's loader"
      : opened;
    return [
      [state.padEnd(8), name.padEnd(14), soname.padEnd(19), where].join(" ").trimEnd(),
      ...failures.map((failure) => `${" ".repeat(9)}could not open ${failure}`),
    ];
  });
}
