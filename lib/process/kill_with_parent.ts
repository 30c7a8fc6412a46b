/** Option of prctl() that sets the signal a process gets when its parent ends (linux/prctl.h). */
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/**
 * Makes the system kill this process when its parent ends, even in native code. Linux only; elsewhere this does
 * nothing. Needs `--allow-ffi`.
 *
 * The parent's id is the child's first argument, set by spawnDeno(). If the parent has already ended, this process ends
 * at once.
 *
 * @param parent The parent's process id.
 */
export function killWithParent(parent: number = Number(Deno.args[0])): void {
  if (Deno.build.os === "linux") {
    // prctl() takes variable arguments, all longs. On x86-64 and AArch64, integers are passed like fixed arguments.
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
