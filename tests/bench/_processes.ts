/** The processes of a run, told by their session: one that is started `detached` begins its own. Linux. */

/** A process that is there, and more than a zombie. */
export interface Running {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** "T" is stopped. */
  readonly state: string;
  /** Its arguments, with spaces between. */
  readonly command: string;
}

/** All processes of the system. One `grep` reads them: Deno lets nobody read /proc who has not all permissions. */
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

/** Those of one session. */
export async function ofSession(session: number): Promise<Running[]> {
  return (await processes()).filter((process) => process.session === session);
}

/** Waits until none of a session is left, for so long at most, ms; gives those that are. */
export async function leftAfter(session: number, patience = 5000): Promise<Running[]> {
  const end = performance.now() + patience;
  while (true) {
    const left = await ofSession(session);
    if (left.length === 0 || performance.now() > end) return left;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Ends what is left of a session, so that no test leaves anything behind. */
export async function endSession(session: number): Promise<void> {
  for (const { pid } of await ofSession(session)) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}
