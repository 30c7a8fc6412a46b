import { compileStub, hasGcc } from "../cuda/compile_stub.ts";

export { hasGcc };

/**
 * The stand-in for NVML. Not under its real soname: the loader would give it to everything in this process that asks
 * for the real one.
 */
export function compileNvml(defines: Record<string, string> = {}): Promise<string> {
  return compileStub(new URL("./stub_nvml.c", import.meta.url), "libnvidia-ml_stub.so", defines);
}

const symbols = {
  stub_set: { parameters: ["u32", "u64", "u64", "u32"], result: "void" },
  stub_fail: { parameters: ["i32"], result: "void" },
  stub_delay: { parameters: ["i64"], result: "void" },
  stub_moment: { parameters: ["u32", "u32", "u32", "u32"], result: "void" },
  stub_moment_delay: { parameters: ["i64"], result: "void" },
  stub_power_calls: { parameters: [], result: "i32" },
  stub_started: { parameters: [], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Sets what the stand-in reports. */
export class NvmlStub implements Disposable {
  #library: Deno.DynamicLibrary<typeof symbols>;
  constructor(readonly path: string) {
    this.#library = Deno.dlopen(path, symbols);
    this.set({});
    this.fail(0);
    this.delay(0);
    this.moment({});
    this.momentDelay(0);
  }
  /** This process's bytes (null: it is not listed), the GPU's, and how many other processes are listed. */
  set(
    { process = null, device = 2 ** 20, others = 0 }: {
      process?: number | bigint | null;
      device?: number;
      others?: number;
    },
  ) {
    this.#library.symbols.stub_set(process === null ? 0 : Deno.pid, BigInt(process ?? 0), BigInt(device), others);
  }
  fail(code: number) {
    this.#library.symbols.stub_fail(code);
  }
  delay(us: number) {
    this.#library.symbols.stub_delay(BigInt(us));
  }
  /** What the GPU does: SM clock in MHz, power in mW, degrees Celsius, bits of reasons. */
  moment({ sm = 1410, power = 90_000, celsius = 41, reasons = 1 }) {
    this.#library.symbols.stub_moment(sm, power, celsius, reasons);
  }
  /** How long a call for a clock or the power takes, us. */
  momentDelay(us: number) {
    this.#library.symbols.stub_moment_delay(BigInt(us));
  }
  /** How often NVML was asked for the power. */
  get powerCalls(): number {
    return this.#library.symbols.stub_power_calls();
  }
  /** How often NVML is started and not ended. */
  get started(): number {
    return this.#library.symbols.stub_started();
  }
  [Symbol.dispose]() {
    this.#library.close();
  }
}
