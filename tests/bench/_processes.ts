/** The processes of a run, found by their session: a process started `detached` begins a new one. Linux. */

/** A process that exists and is not a zombie. */
export interface Running {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** "T" is stopped. */
  readonly state: string;
  /** Its arguments, with spaces between. */
  readonly command: string;
}

/** Returns all processes of the system. `grep` reads them: Deno needs all permissions to read /proc. */
export async function processes(): Promise<Running[]> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", "grep -asH '' /proc/[0-9]*/stat /proc/[0-9]*/cmdline; true"],
    stderr: "null",
  }).output();
  const commands = new Map<number, string>();
  const found: Omit<Running, "command">[] = [];
  for (const line of new TextDecoder().decode(stdout).split("\n")) {
    const [, id, file, text] = /^\/proc\/(\d+)\/(stat|cmdline):(.*)$/.exec(line) ?? [];
    if (id === undefined) continue;
    const pid = Number(id);
    if (file === "cmdline") commands.set(pid, text!.replaceAll("\0", " ").trim());
    else {
      // proc_pid_stat(5): the name is in parentheses and may hold anything.
      const [state, parent, , session] = text!.replace(/^.*\)\s*/, "").split(" ");
      if (state !== "Z" && state !== "X") {
        found.push({ pid, state: state!, parent: Number(parent), session: Number(session) });
      }
    }
  }
  return found.map((process) => ({ ...process, command: commands.get(process.pid) ?? "" }));
}

/** Returns the processes of one session. */
export async function ofSession(session: number): Promise<Running[]> {
  return (await processes()).filter((process) => process.session === session);
}

/** Waits until a session has no processes, for at most `patience` ms. Returns the remaining ones. */
export async function leftAfter(session: number, patience = 5000): Promise<Running[]> {
  const end = performance.now() + patience;
  while (true) {
    const left = await ofSession(session);
    if (left.length === 0 || performance.now() > end) return left;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Ends the remaining processes of a session, so that a test leaves none running. */
export async function endSession(session: number): Promise<void> {
  for (const { pid } of await ofSession(session)) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // It has already ended.
    }
  }
}
