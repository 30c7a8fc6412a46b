import { InputError } from "../util/errors.ts";
import { API, type ApiFunctions, NEWEST_API_VERSION, OLDEST_API_VERSION } from "./api_table.ts";
import { cString, outPointer, pointerAt, stringAt, stringsAt } from "./_c.ts";
import { threadsForAll } from "./threads.ts";

/**
 * An error that ONNX Runtime returned, with its message.
 *
 * @example
 * ```ts
 * import { CpuDevice } from "./cpu_device.ts";
 * import { findOnnxRuntime } from "./find.ts";
 * import { Ort, OrtError } from "./ort.ts";
 * import { Session } from "./session.ts";
 *
 * using device = new CpuDevice();
 * try {
 *   new Session(new Ort(findOnnxRuntime().libraryPath), device, Uint8Array.of(1, 2, 3));
 * } catch (error) {
 *   console.log(error instanceof OrtError && error.code); // 7, ORT_INVALID_PROTOBUF
 * }
 * ```
 */
export class OrtError extends Error {
  override readonly name = "OrtError";
  /**
   * @param message ORT's message.
   * @param code Its `OrtErrorCode`.
   */
  constructor(message: string, readonly code: number) {
    super(message);
  }
}

const base = {
  OrtGetApiBase: { parameters: [], result: "pointer" }, // const OrtApiBase* (void)
} as const satisfies Deno.ForeignLibraryInterface;

/**
 * ONNX Runtime, opened from a shared library: the C API's function table and one environment. It stays open for the
 * life of the process, as ORT itself expects.
 *
 * @example
 * ```ts
 * import { findOnnxRuntime } from "./find.ts";
 * import { Ort } from "./ort.ts";
 *
 * const ort = new Ort(findOnnxRuntime().libraryPath);
 * console.log(ort.version, ort.providers); // 1.29.0 [ …, "CPUExecutionProvider" ]
 * ```
 */
export class Ort {
  /** Version of the library, such as "1.29.0". */
  readonly version: string;
  /** The C functions by name. Those that return a status go through {@linkcode check}. */
  readonly c: ApiFunctions;
  /** The environment all sessions share. */
  readonly env: Deno.PointerValue;
  readonly #library: Deno.DynamicLibrary<typeof base>;

  /**
   * Opens the library.
   *
   * @param path Its absolute path.
   * @throws {InputError} If it cannot be opened or is too old.
   */
  constructor(readonly path: string) {
    try {
      this.#library = Deno.dlopen(path, base);
    } catch (cause) {
      throw new InputError(`Cannot open ONNX Runtime at ${path}: ${(cause as Error).message}`, { cause });
    }
    // struct OrtApiBase { const OrtApi* (*GetApi)(uint32_t version); const char* (*GetVersionString)(void); }
    const apiBase = new Deno.UnsafePointerView(this.#library.symbols.OrtGetApiBase()!);
    const getApi = new Deno.UnsafeFnPointer(apiBase.getPointer(0)!, { parameters: ["u32"], result: "pointer" });
    const getVersion = new Deno.UnsafeFnPointer(apiBase.getPointer(8)!, { parameters: [], result: "pointer" });
    this.version = stringAt(getVersion.call());
    // GetApi with a version newer than the library's writes a warning to stderr: ask for no newer one.
    const minor = Number(this.version.split(".")[1]);
    const version = Math.min(NEWEST_API_VERSION, minor);
    const api = version < OLDEST_API_VERSION ? null : getApi.call(version);
    if (api === null) {
      throw new InputError(
        `Cannot use ONNX Runtime ${this.version} at ${path}: 1.${OLDEST_API_VERSION} or later is needed`,
      );
    }
    const table = new Deno.UnsafePointerView(api);
    this.c = Object.fromEntries(
      Object.entries(API).map(([name, { index, c }]) => {
        const f = new Deno.UnsafeFnPointer(table.getPointer(8 * index)!, c as Deno.ForeignFunction);
        return [name, f.call.bind(f)];
      }),
    ) as unknown as ApiFunctions;
    // Only errors that end the process go to ORT's log: others return as a status, and ORT's warnings (such as a node
    // placed on the CPU by design) do not help a user.
    const ORT_LOGGING_LEVEL_FATAL = 4;
    const { c } = this;
    const threading = this.create((out) => c.CreateThreadingOptions(out));
    try {
      this.check(c.SetGlobalIntraOpNumThreads(threading, threadsForAll()));
      this.check(c.SetGlobalInterOpNumThreads(threading, 1)); // nodes run one after the other
      this.env = this.create((out) =>
        c.CreateEnvWithGlobalThreadPools(ORT_LOGGING_LEVEL_FATAL, cString("kvcompress"), threading, out)
      );
    } finally {
      c.ReleaseThreadingOptions(threading);
    }
  }

  /** Execution providers built into the library. A listed one may still fail to load. */
  get providers(): string[] {
    const list = outPointer();
    const count = new Int32Array(1);
    this.check(this.c.GetAvailableProviders(list, count));
    const names = stringsAt(pointerAt(list), count[0]!);
    this.check(this.c.ReleaseAvailableProviders(pointerAt(list), count[0]!));
    return names;
  }

  /** Throws the error of a status; null is success. @throws {OrtError} */
  check(status: Deno.PointerValue): void {
    if (status === null) return;
    const error = new OrtError(stringAt(this.c.GetErrorMessage(status)), this.c.GetErrorCode(status));
    this.c.ReleaseStatus(status);
    throw error;
  }

  /** Calls a function that creates something and returns it through its last parameter. @throws {OrtError} */
  create(call: (out: BigUint64Array<ArrayBuffer>) => Deno.PointerValue): Deno.PointerObject {
    const out = outPointer();
    this.check(call(out));
    return pointerAt(out)!;
  }
}
