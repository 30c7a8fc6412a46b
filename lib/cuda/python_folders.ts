import { dirname, join } from "@std/path";

/**
 * Returns the library folders of NVIDIA's packages in this machine's Python environments: `nvidia/cu13/lib`,
 * `nvidia/cudnn/lib` and the like in site-packages, and a conda environment's own `lib`. Most machines with a GPU have
 * PyTorch, and with it all of CUDA, only in such a place.
 *
 * Environments, in order: the active one (`VIRTUAL_ENV`, `CONDA_PREFIX`), `.venv` in the working directory, that of
 * every `python3` and `python` on the PATH (links followed, and the environment a virtual one was made from), pyenv's,
 * and the user's own packages. Python itself is not run.
 *
 * @param env Reads an environment variable.
 * @returns Absolute paths, best first.
 *
 * @example
 * ```ts
 * import { pythonLibraryFolders } from "./python_folders.ts";
 *
 * for (const folder of pythonLibraryFolders(Deno.env.get)) console.log(folder);
 * ```
 */
export function pythonLibraryFolders(env: (name: string) => string | undefined): string[] {
  return pythonPrefixes(env).flatMap(libraryFolders);
}

/**
 * Returns the library folders of one Python environment.
 *
 * @param prefix The environment's `sys.prefix`.
 * @returns Absolute paths; a pattern with `*` for a site-packages without NVIDIA packages.
 *
 * @example
 * ```ts
 * import { libraryFolders } from "./python_folders.ts";
 *
 * console.log(libraryFolders("/usr"));
 * ```
 */
export function libraryFolders(prefix: string): string[] {
  const pip = sitePackagesOf(prefix).flatMap((site) => {
    const nvidia = join(site, "nvidia");
    const found = subfolders(nvidia, /./).flatMap((folder) => subfolders(folder, /^lib$/));
    return found.length > 0 ? found : [join(nvidia, "*", "lib")];
  });
  // conda's packages are split between the two
  const conda = exists(join(prefix, "conda-meta"))
    ? [join(prefix, "lib"), join(prefix, "targets", "x86_64-linux", "lib")].filter(exists)
    : [];
  return [...conda, ...pip];
}

/**
 * Returns the site-packages folders of the Python environments that {@linkcode pythonLibraryFolders} searches.
 *
 * @param env Reads an environment variable.
 * @returns Absolute paths of folders that exist, best first.
 *
 * @example
 * ```ts
 * import { sitePackages } from "./python_folders.ts";
 *
 * console.log(sitePackages(Deno.env.get));
 * ```
 */
export function sitePackages(env: (name: string) => string | undefined): string[] {
  return pythonPrefixes(env).flatMap(sitePackagesOf);
}

function sitePackagesOf(prefix: string): string[] {
  return [
    ...subfolders(join(prefix, "lib"), /^python3(\.\d+)?$/),
    ...subfolders(join(prefix, "local", "lib"), /^python3(\.\d+)?$/), // Debian's pip
  ].flatMap((python) => subfolders(python, /^(site|dist)-packages$/));
}

/** Returns the `sys.prefix` of each Python environment. */
function pythonPrefixes(env: (name: string) => string | undefined): string[] {
  const prefixes: string[] = [];
  const add = (prefix: string | undefined) => {
    if (prefix && !prefixes.includes(prefix) && exists(prefix)) prefixes.push(prefix);
  };
  const addEnvironment = (prefix: string | undefined) => {
    add(prefix);
    if (prefix) add(basePrefix(prefix));
  };
  addEnvironment(env("VIRTUAL_ENV"));
  addEnvironment(env("CONDA_PREFIX"));
  addEnvironment(join(Deno.cwd(), ".venv"));
  for (const folder of (env("PATH") ?? "").split(":").filter((folder) => folder.startsWith("/"))) {
    for (const name of ["python3", "python"]) {
      const python = join(folder, name);
      if (!exists(python)) continue;
      if (folder.endsWith("/shims")) { // pyenv: a script that picks one of these
        for (const version of subfolders(join(folder, "..", "versions"), /./)) add(version);
        continue;
      }
      addEnvironment(dirname(realPath(folder))); // /bin is often /usr/bin
      add(dirname(dirname(realPath(python))));
    }
  }
  const home = env("HOME");
  if (home) add(join(home, ".local"));
  return prefixes;
}

/** Returns the environment that a virtual one was made from: `home` in pyvenv.cfg names its bin folder. */
function basePrefix(prefix: string): string | undefined {
  try {
    const home = /^home\s*=\s*(.+)$/m.exec(Deno.readTextFileSync(join(prefix, "pyvenv.cfg")))?.[1]?.trim();
    return home === undefined ? undefined : dirname(home);
  } catch {
    return undefined;
  }
}

/** Returns subfolders (or links to folders) of a folder by name, the highest version first. */
export function subfolders(folder: string, name: RegExp): string[] {
  try {
    return [...Deno.readDirSync(folder)]
      .filter((entry) => !entry.isFile && name.test(entry.name))
      .map((entry) => entry.name)
      .sort((a, b) => b.localeCompare(a, "en", { numeric: true }))
      .map((entry) => join(folder, entry));
  } catch {
    return [];
  }
}

/** Whether a path exists and may be read. A dangling link does not exist. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}
