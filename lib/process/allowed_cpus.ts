/** Bytes of the mask: room for 8192 cores, the most that Linux is built for. */
const MASK_BYTES = 1024;

/**
 * Returns the numbers of the cores that this process may run on, as a CPU set (of a container) or taskset leaves them.
 * Linux only. Needs `--allow-ffi`.
 *
 * @returns Numbers from 0; null if they cannot be found out.
 *
 * @example
 * ```ts
 * import { allowedCpus } from "./allowed_cpus.ts";
 *
 * console.log(allowedCpus()?.size === navigator.hardwareConcurrency); // true on Linux
 * ```
 */
export function allowedCpus(): ReadonlySet<number> | null {
  if (Deno.build.os !== "linux") return null;
  try {
    using libc = new Library();
    const mask = new Uint8Array(MASK_BYTES);
    if (libc.c.symbols.sched_getaffinity(0, BigInt(mask.length), mask) !== 0) return null;
    const cpus = Array.from({ length: MASK_BYTES * 8 }, (_, cpu) => cpu);
    return new Set(cpus.filter((cpu) => (mask[cpu >> 3]! >> (cpu & 7) & 1) === 1));
  } catch {
    return null; // no permission, or another C library
  }
}

class Library implements Disposable {
  readonly c = Deno.dlopen("libc.so.6", {
    sched_getaffinity: { parameters: ["i32", "usize", "buffer"], result: "i32" }, // pid_t (0: this), size_t, cpu_set_t*
  });

  [Symbol.dispose](): void {
    this.c.close();
  }
}
