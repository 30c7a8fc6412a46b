import { join, resolve } from "@std/path";
import { loaderFolders } from "../process/child_env.ts";
import { exists, libraryFolders, pythonLibraryFolders, subfolders } from "./python_folders.ts";

/** Settings of {@linkcode cudaSearchFolders}, for tests. */
export interface SearchOptions {
  /** Reads an environment variable; `Deno.env.get` unless given. */
  readonly env?: (name: string) => string | undefined;
  /** Prefix of system folders such as /usr/local/cuda; empty unless given. */
  readonly root?: string;
}

/** CUDA's name of this architecture: `targets/x86_64-linux`. */
const TARGET = Deno.build.arch === "aarch64" ? "sbsa-linux" : "x86_64-linux";
/** Debian's name of it: `/usr/lib/x86_64-linux-gnu`. */
const MULTIARCH = `${Deno.build.arch}-linux-gnu`;

/**
 * Returns the folders where CUDA's libraries may be on this machine, best first: those that the user named
 * (`CUDA_PATH`, `CUDA_HOME`, `LD_LIBRARY_PATH`), then those of Python environments, the toolkit, the distribution and
 * the driver. Linux only: elsewhere the list is empty and the system's loader decides.
 *
 * Needs `--allow-read` and `--allow-env`.
 *
 * @param options Another environment, for tests.
 * @returns Absolute paths. Usual places are listed even if they do not exist (as a pattern with `*` if no folder
 * matches), so that a message shows what was searched.
 *
 * @example
 * ```ts
 * import { cudaSearchFolders } from "./search_folders.ts";
 *
 * const folders = cudaSearchFolders({ env: (name) => name === "CUDA_PATH" ? "/sw/cuda-13" : undefined });
 * console.log(folders[0]); // "/sw/cuda-13/lib64"
 * ```
 */
export function cudaSearchFolders(options: SearchOptions = {}): string[] {
  if (Deno.build.os !== "linux") return [];
  const env = options.env ?? Deno.env.get;
  const system = (path: string) => (options.root ?? "") + path;
  const named = [env("CUDA_PATH"), env("CUDA_HOME")].flatMap((path) => path ? toolkit(resolve(path)) : []);
  const loader = (loaderFolders(env) ?? "").split(":").filter(Boolean).map((path) => resolve(path));
  const toolkits = subfolders(system("/usr/local"), /^cuda/).flatMap(toolkit).filter(exists);
  const rare = [
    ...subfolders(system("/opt"), /./).flatMap((
      folder,
    ) => [...toolkit(folder).slice(0, -1), ...libraryFolders(folder)]),
    ...subfolders(system(`/opt/nvidia/hpc_sdk/Linux_${Deno.build.arch}`), /^\d/)
      .flatMap((sdk) => [join(sdk, "cuda", "lib64"), join(sdk, "math_libs", "lib64")]),
    // The driver's own: containers, WSL, Debian, NixOS
    system("/usr/local/nvidia/lib64"),
    system("/usr/local/nvidia/lib"),
    system("/usr/lib/wsl/lib"),
    system(`/usr/lib/${MULTIARCH}/nvidia/current`),
    system("/run/opengl-driver/lib"),
  ].filter(exists);
  return [
    ...new Set([
      ...named,
      ...loader,
      ...pythonLibraryFolders(env),
      ...toolkits.length > 0 ? toolkits : [system("/usr/local/cuda*/lib64")],
      system(`/usr/lib/${MULTIARCH}`),
      system("/usr/lib64"),
      system("/usr/local/lib"),
      ...rare,
    ]),
  ];
}

/** Returns the library folders of a CUDA toolkit. The folder itself comes last, in case it holds only libraries. */
function toolkit(folder: string): string[] {
  return [join(folder, "lib64"), join(folder, "targets", TARGET, "lib"), join(folder, "lib"), folder];
}
