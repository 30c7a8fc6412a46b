/**
 * The environment variables that child processes get: only those named here.
 *
 * @module
 */

/** Variables for every child: the location of Deno's cache, and those that system libraries expect. */
const EVERY_CHILD = ["DENO_DIR", "HOME", "PATH", "SystemRoot", "TEMP", "TMP", "TMPDIR", "TZ", "USERPROFILE"] as const;

/** Folders of the dynamic loader, under a name that Deno passes on; see {@linkcode loaderFolders}. */
const LOADER_FOLDERS = "KVCOMPRESS_LD_LIBRARY_PATH";

/**
 * Variables for a process that runs models: locations of libraries and caches, the GPU to use, and settings of CUDA's
 * libraries with known names.
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

/** Variables for a process that uses the network. */
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

/** Variables by which Deno loads modules and npm packages, if the project is not on disk. */
export const LOADING_ENV = ["DENO_AUTH_TOKENS", "JSR_URL", "NPM_CONFIG_REGISTRY"] as const;

/**
 * Returns the variables that are set, of the given names and of those for every child. A variable that this process may
 * not read counts as not set, without a permission prompt.
 *
 * @example
 * ```ts
 * import { envFor } from "./child_env.ts";
 *
 * console.log(Object.keys(envFor(["HF_HOME"])).includes("HF_TOKEN")); // false
 * ```
 *
 * @param names Variables that this child needs.
 * @returns Name → value. Children with {@linkcode MODEL_ENV} get `LD_LIBRARY_PATH` under another name.
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
 * Returns the user's `LD_LIBRARY_PATH`: from the variable itself, or in a child from the name under which it is passed
 * on. Libraries there are opened by their paths, so the child's loader need not know the variable.
 *
 * @param env Reads a variable; {@linkcode readEnv} by default.
 */
export function loaderFolders(env: (name: string) => string | undefined = readEnv): string | undefined {
  return env("LD_LIBRARY_PATH") ?? env(LOADER_FOLDERS);
}

/** Reads a variable; undefined if it is not set, or this process may not read it. */
export function readEnv(variable: string): string | undefined {
  return Deno.permissions.querySync({ name: "env", variable }).state === "granted" ? Deno.env.get(variable) : undefined;
}
