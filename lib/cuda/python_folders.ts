import { dirname, join } from "@std/path";

/**
 * The library folders of NVIDIA's packages in the Python environments at hand: `nvidia/cu13/lib`, `nvidia/cudnn/lib`
 * and the like in site-packages, and a conda environment's own `lib`. Most machines with a GPU have PyTorch, and with
 * it all of CUDA, in such a place and in no other.
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
 * The library folders of one Python environment.
 *
 * @param prefix The environment's `sys.prefix`.
 * @returns Absolute paths; a pattern with `*` for a site-packages that holds no packages of NVIDIA's.
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
 * The site-packages folders of the Python environments that {@linkcode pythonLibraryFolders} looks at.
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

/** Where Python environments are: their `sys.prefix`. */
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

/** The environment that a virtual one was made from: `home` in its pyvenv.cfg names that one's bin folder. */
function basePrefix(prefix: string): string | undefined {
  try {
    const home = /^home\s*=\s*(.+)$/m.exec(Deno.readTextFileSync(join(prefix, "pyvenv.cfg")))?.[1]?.trim();
    return home === undefined ? undefined : dirname(home);
  } catch {
    return undefined;
  }
}

/** Subfolders (or links to folders) of a folder by name, the highest version first. */
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

/** Whether a path exists and may be read; a link that leads nowhere does not. */
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
