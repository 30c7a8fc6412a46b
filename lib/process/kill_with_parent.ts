/** Sets the signal that a process gets when its parent ends (linux/prctl.h). */
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/**
 * Has the system kill this process when the one that started it ends, in native code too. Linux only; elsewhere nothing
 * happens. Needs `--allow-ffi`.
 *
 * The child's first argument is the parent's id, as spawnDeno() gives it: a parent that is gone by now ends it at once.
 *
 * @param parent The parent's process id.
 */
export function killWithParent(parent: number = Number(Deno.args[0])): void {
  if (Deno.build.os === "linux") {
    // prctl() takes variable arguments, all of them longs; integers go the same way as fixed ones on x86-64 and AArch64.
    using libc = new Library();
    libc.c.symbols.prctl(PR_SET_PDEATHSIG, BigInt(SIGKILL), 0n, 0n, 0n);
  }
  if (Deno.ppid !== parent) Deno.exit(1);
}

class Library implements Disposable {
  readonly c = Deno.dlopen("libc.so.6", {
    prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  });

  [Symbol.dispose](): void {
    this.c.close();
  }
}
