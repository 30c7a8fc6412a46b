/**
 * Which environment variables reach a child process: those named here and no others.
 *
 * @module
 */

/** What every child gets: where Deno keeps its cache, and what a system's libraries expect. */
const EVERY_CHILD = ["DENO_DIR", "HOME", "PATH", "SystemRoot", "TEMP", "TMP", "TMPDIR", "TZ", "USERPROFILE"] as const;

/** Folders of the dynamic loader, under a name that Deno hands on; see {@linkcode loaderFolders}. */
const LOADER_FOLDERS = "KVCOMPRESS_LD_LIBRARY_PATH";

/**
 * What a process that runs models gets: where libraries and caches lie, which GPU it is to use, and the settings of CUDA's
 * libraries that have names known beforehand.
 */
export const MODEL_ENV = [
  "CONDA_PREFIX",
  "CUBLAS_WORKSPACE_CONFIG",
  "CUDA_CACHE_DISABLE",
  "CUDA_CACHE_MAXSIZE",
  "CUDA_CACHE_PATH",
  "CUDA_DEVICE_MAX_CONNECTIONS",
  "CUDA_DEVICE_ORDER",
  "CUDA_DISABLE_PTX_JIT",
  "CUDA_FORCE_PTX_JIT",
  "CUDA_HOME",
  "CUDA_LAUNCH_BLOCKING",
  "CUDA_MODULE_LOADING",
  "CUDA_MPS_LOG_DIRECTORY",
  "CUDA_MPS_PIPE_DIRECTORY",
  "CUDA_PATH",
  "CUDA_VISIBLE_DEVICES",
  "LOCALAPPDATA",
  "NVIDIA_TF32_OVERRIDE",
  "NVIDIA_VISIBLE_DEVICES",
  "OMP_NUM_THREADS",
  "ORT_DIR",
  "VIRTUAL_ENV",
  "XDG_CACHE_HOME",
] as const;

/** How a process that reaches the network gets there. */
export const NETWORK_ENV = [
  "ALL_PROXY",
  "DENO_CERT",
  "DENO_TLS_CA_STORE",
  "HTTPS_PROXY",
  "HTTP_PROXY",
  "NODE_EXTRA_CA_CERTS",
  "NO_PROXY",
  "SSL_CERT_DIR",
  "SSL_CERT_FILE",
  "all_proxy",
  "http_proxy",
  "https_proxy",
  "no_proxy",
] as const;

/** How Deno loads modules and npm packages, where the project does not lie on disk. */
export const LOADING_ENV = ["DENO_AUTH_TOKENS", "JSR_URL", "NPM_CONFIG_REGISTRY"] as const;

/**
 * The variables that are set, of some names and those that every child gets. One that this process may not read counts as
 * not set: nobody is asked.
 *
 * @example
 * ```ts
 * import { envFor } from "./child_env.ts";
 *
 * console.log(Object.keys(envFor(["HF_HOME"])).includes("HF_TOKEN")); // false
 * ```
 *
 * @param names Variables that this child has a use for.
 * @returns Name → value. `LD_LIBRARY_PATH` goes under another name to those who get {@linkcode MODEL_ENV}.
 */
export function envFor(names: readonly string[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of [...EVERY_CHILD, ...names]) {
    const value = readEnv(name);
    if (value !== undefined) env[name] = value;
  }
  const folders = names.includes("CUDA_PATH") ? loaderFolders() : undefined;
  return folders === undefined ? env : { ...env, [LOADER_FOLDERS]: folders };
}

/**
 * `LD_LIBRARY_PATH` as the user has it: from the variable itself, or in a child from the name it is handed on under. The
 * libraries there are opened by their paths, so that the child's loader need not know it.
 *
 * @param env Reads a variable; this process's, as far as it may, unless given.
 */
export function loaderFolders(env: (name: string) => string | undefined = readEnv): string | undefined {
  return env("LD_LIBRARY_PATH") ?? env(LOADER_FOLDERS);
}

/** A variable; undefined where it is not set, or this process may not read it. */
export function readEnv(variable: string): string | undefined {
  return Deno.permissions.querySync({ name: "env", variable }).state === "granted" ? Deno.env.get(variable) : undefined;
}
