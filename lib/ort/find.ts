// Deno installs a package only if one of its modules is imported.
import "onnxruntime-node/package.json" with { type: "json" };
import { createRequire } from "node:module";
import { dirname, fromFileUrl, join, resolve, toFileUrl } from "@std/path";
import { InputError } from "../util/errors.ts";
import { isRemote } from "../util/project.ts";
import { ORT_VERSION, setupFolder } from "./setup_folder.ts";

/** Where libonnxruntime was found. */
export interface OrtLocation {
  /** Absolute path of the shared library. */
  readonly libraryPath: string;
  /** The folder it lies in: ONNX Runtime looks for its providers there. */
  readonly folder: string;
  /** How it was found. */
  readonly source: "ORT_DIR" | "setup:cuda" | "onnxruntime-node";
  /** Whether the CUDA provider lies next to it. It may still fail to load. */
  readonly hasCudaProvider: boolean;
  /** The version, from file names; null if they do not state it. Only the library itself is certain. */
  readonly versionHint: string | null;
  /** Every place searched, in order; the one found is last. */
  readonly tried: readonly string[];
}

/** File names by platform, the preferred first; `library` also holds names with the full version. */
const NAMES = {
  linux: {
    exact: ["libonnxruntime.so.1", "libonnxruntime.so"],
    versioned: /^libonnxruntime\.so\.(\d+\.\d+\.\d+)$/,
    providers: ["libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"],
  },
  darwin: {
    exact: ["libonnxruntime.1.dylib", "libonnxruntime.dylib"],
    versioned: /^libonnxruntime\.(\d+\.\d+\.\d+)\.dylib$/,
    providers: null, // there is no CUDA on macOS
  },
  windows: {
    exact: ["onnxruntime.dll"],
    versioned: null,
    providers: ["onnxruntime_providers_shared.dll", "onnxruntime_providers_cuda.dll"],
  },
} as const;
const names = NAMES[Deno.build.os as keyof typeof NAMES] ?? NAMES.linux;

/** Settings of {@linkcode findOnnxRuntime}, for tests and for libraries kept elsewhere. */
export interface FindOptions {
  /** Reads an environment variable; `Deno.env.get` unless given. */
  readonly env?: (name: string) => string | undefined;
  /** The folder of npm's onnxruntime-node; found by Node's resolution unless given. Null: not installed. */
  readonly npmPackage?: string | null;
}

/**
 * Finds libonnxruntime: in the folder `ORT_DIR` names, else in the one `deno task setup:cuda` made, else in
 * npm's onnxruntime-node. Opens nothing.
 *
 * Needs `--allow-env=ORT_DIR,XDG_CACHE_HOME,HOME` (LOCALAPPDATA on Windows) and `--allow-read` for ORT_DIR or the
 * project; a cache folder it may not read counts as empty.
 *
 * @param options Where to look instead.
 * @returns The library's place and how it was found.
 *
 * @throws {InputError} If ORT_DIR is set but holds no library, or no place has one. Names every place.
 *
 * @example
 * ```ts ignore
 * import { findOnnxRuntime } from "./find.ts";
 *
 * const { libraryPath, source } = findOnnxRuntime();
 * console.log(libraryPath, source); // "…/bin/napi-v6/linux/x64/libonnxruntime.so.1" "onnxruntime-node"
 * ```
 */
export function findOnnxRuntime(options: FindOptions = {}): OrtLocation {
  const env = options.env ?? Deno.env.get;
  const tried: string[] = [];

  const asked = env("ORT_DIR");
  if (asked) {
    const folder = resolve(asked);
    const found = locate(folder, "ORT_DIR", tried);
    if (found) return found;
    // Set on purpose: another library in its place would be measured without the user knowing.
    throw new InputError(
      `Cannot find ONNX Runtime in ORT_DIR=${asked}: ${
        isFolder(folder) ? "the folder holds none of" : "it is not a folder; it should hold one of"
      } ${[...names.exact, ...(names.versioned ? [versionedExample()] : [])].join(", ")}`,
    );
  }

  const setup = setupFolder(env);
  if (setup !== null) {
    const found = locate(setup, "setup:cuda", tried);
    if (found) return found;
  }

  const npm = options.npmPackage === undefined ? onnxruntimeNode(tried) : options.npmPackage;
  if (npm !== null) {
    const found = locate(npmBinFolder(npm), "onnxruntime-node", tried);
    if (found) return { ...found, versionHint: packageVersion(npm) ?? found.versionHint };
  }

  throw new InputError(
    [
      `Cannot find ONNX Runtime for ${Deno.build.os} ${Deno.build.arch}: looked at`,
      ...tried.map((place) => `  ${place}`),
      "Run `deno install` in the project's folder, or set ORT_DIR to a folder that holds " + names.exact[0],
    ].join("\n"),
  );
}

/**
 * Returns the library of one folder, or null.
 *
 * @param folder Absolute path of the folder.
 * @param source What named the folder.
 * @param tried Receives the places searched.
 * @returns The location, or null if the folder holds no libonnxruntime.
 *
 * @example
 * ```ts
 * import { locate } from "./find.ts";
 *
 * const tried: string[] = [];
 * console.log(locate("/nowhere", "ORT_DIR", tried), tried); // null ["/nowhere"]
 * ```
 */
export function locate(folder: string, source: OrtLocation["source"], tried: string[]): OrtLocation | null {
  tried.push(folder);
  const files = filesOf(folder, source === "setup:cuda");
  const versions = files.map((file) => names.versioned?.exec(file)?.[1] ?? null);
  const withVersion = files.find((_, i) => versions[i]);
  const file = names.exact.find((name) => files.includes(name)) ?? withVersion;
  if (file === undefined) return null;
  const libraryPath = join(folder, file);
  tried[tried.length - 1] = libraryPath;
  return {
    libraryPath,
    folder,
    source,
    hasCudaProvider: names.providers !== null && names.providers.every((name) => files.includes(name)),
    versionHint: versions.find((version) => version) ?? /onnxruntime-(\d+\.\d+\.\d+)-/.exec(folder)?.[1] ?? null,
    tried,
  };
}

/**
 * Returns onnxruntime-node's folder: by Node's own resolution from this file, then from the working directory; if the
 * project is loaded from a URL, in Deno's cache of npm packages.
 */
function onnxruntimeNode(tried: string[]): string | null {
  if (isRemote()) return dirname(fromFileUrl(import.meta.resolve("onnxruntime-node/package.json")));
  const here = [() => fromFileUrl(import.meta.url)];
  for (const base of [...here, () => join(Deno.cwd(), "main.ts")]) {
    const from = base();
    try {
      return dirname(createRequire(toFileUrl(from)).resolve("onnxruntime-node/package.json"));
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      tried.push(`npm:onnxruntime-node, from ${dirname(from)} up`);
    }
  }
  return null;
}

/** Returns the folder of this platform's binary: bin/napi-v6/{linux,darwin,win32}/{x64,arm64}; the newest napi. */
function npmBinFolder(npm: string): string {
  const platform = Deno.build.os === "windows" ? "win32" : Deno.build.os;
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  const napi = filesOf(join(npm, "bin")).filter((name) => /^napi-v\d+$/.test(name));
  const newest = napi.sort((a, b) => Number(b.slice(6)) - Number(a.slice(6)))[0] ?? "napi-v6";
  return join(npm, "bin", newest, platform, arch);
}

function packageVersion(npm: string): string | null {
  try {
    return JSON.parse(Deno.readTextFileSync(join(npm, "package.json"))).version ?? null;
  } catch {
    return null;
  }
}

/** Returns the names in a folder; none if it does not exist or (if `optional`) this process may not read it. */
function filesOf(folder: string, optional = false): string[] {
  try {
    return [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable && !optional) throw error;
    return [];
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function versionedExample(): string {
  return Deno.build.os === "darwin" ? `libonnxruntime.${ORT_VERSION}.dylib` : `libonnxruntime.so.${ORT_VERSION}`;
}
