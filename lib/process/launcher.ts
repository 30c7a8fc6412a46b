import { readEnv } from "./child_env.ts";
import { spawnDeno } from "./deno_child.ts";

/** Time between two checks for the parent, ms. */
const LOOK_MS = 500;

/** Ends a run whose launcher has ended. */
export class LauncherGone extends Error {
  override readonly name = "LauncherGone";
}

/**
 * Reports when the launcher of this process has ended: `deno task` or npx, which pass on no signal when they are
 * killed. A process started in another way, such as from a user's shell, may outlive its parent.
 *
 * @example
 * ```ts
 * import { LauncherWatch } from "./launcher.ts";
 *
 * using launcher = new LauncherWatch();
 * console.log(launcher.signal.aborted); // false
 * ```
 */
export class LauncherWatch implements Disposable {
  readonly #controller = new AbortController();
  readonly #scope = new DisposableStack();

  constructor() {
    // Set by `deno task` and by npm.
    if (readEnv("INIT_CWD") === undefined || Deno.build.os === "windows") return;
    const parent = Deno.ppid;
    const timer = setInterval(() => {
      if (Deno.ppid !== parent) this.#gone();
    }, LOOK_MS);
    Deno.unrefTimer(timer);
    this.#scope.defer(() => clearInterval(timer));
    // A launcher that was killed while Deno started is missing among the processes above this one.
    const launcher = launchedBy();
    if (Deno.build.os === "linux" && launcher !== undefined) this.#watchAll(launcher);
  }

  /** Aborted when one of the launchers has ended. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts a process that finds the launchers above this one, and watches those above the parent. */
  #watchAll(launcher: "npm" | "task"): void {
    const child = spawnDeno({
      script: import.meta.resolve("./launcher_main.ts"),
      permissions: ["--allow-all"],
      args: [launcher],
      stdin: "null",
    });
    child.unref();
    void Promise.all([child.stdout.cancel(), child.stderr.cancel()]).catch(() => {});
    let isOver = false;
    this.#scope.defer(() => {
      isOver = true;
      child.kill("SIGKILL");
    });
    void child.status.then(({ code }) => {
      if (code === 0 && !isOver) this.#gone();
    });
  }

  #gone(): void {
    this.#controller.abort(new LauncherGone("Cannot go on: the program that launched this run has ended"));
  }

  [Symbol.dispose](): void {
    try {
      this.#scope.dispose();
    } catch {
      // The watching process has already ended.
    }
  }
}

/**
 * Returns who started Deno, by environment variables: npm (npx, or a script of the user's package), or `deno task`
 * alone. Undefined for other processes started by npm and for their children: the processes above them need not wait
 * for them.
 */
function launchedBy(): "npm" | "task" | undefined {
  if (readEnv("npm_lifecycle_event") === undefined) return "task";
  return (readEnv("npm_lifecycle_script") ?? "").includes("deno") ? "npm" : undefined;
}
