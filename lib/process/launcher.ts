import { readEnv } from "./child_env.ts";
import { spawnDeno } from "./deno_child.ts";

/** Between two looks at whether the parent is there, ms. */
const LOOK_MS = 500;

/** Why a run is ended where what launched it is gone. */
export class LauncherGone extends Error {
  override readonly name = "LauncherGone";
}

/**
 * Tells when what launched this process is gone: `deno task` or npx, which pass no signal on when they are killed. A
 * process that was started in another way, as from a person's shell, may outlive it.
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
    // `deno task` sets it, and npm.
    if (readEnv("INIT_CWD") === undefined || Deno.build.os === "windows") return;
    const parent = Deno.ppid;
    const timer = setInterval(() => {
      if (Deno.ppid !== parent) this.#gone();
    }, LOOK_MS);
    Deno.unrefTimer(timer);
    this.#scope.defer(() => clearInterval(timer));
    // One that was killed while Deno started is seen by what is above this process: by its absence.
    const launcher = launchedBy();
    if (Deno.build.os === "linux" && launcher !== undefined) this.#watchAll(launcher);
  }

  /** Aborted when one of the launchers is gone. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Has a process look who is above this one, and watch those above the parent. */
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
    this.#controller.abort(new LauncherGone("Cannot go on: what launched this run has ended"));
  }

  [Symbol.dispose](): void {
    try {
      this.#scope.dispose();
    } catch {
      // The process that watched has ended by itself.
    }
  }
}

/**
 * Who started Deno, as far as variables say: npm, be it by npx or a script of the user's package, or `deno task` alone.
 * Undefined for what npm started for another reason, and what came from that: nobody above it need wait for it.
 */
function launchedBy(): "npm" | "task" | undefined {
  if (readEnv("npm_lifecycle_event") === undefined) return "task";
  return (readEnv("npm_lifecycle_script") ?? "").includes("deno") ? "npm" : undefined;
}
