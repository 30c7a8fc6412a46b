import { denoProgram, endWith, projectFlags, readLines } from "../../process/deno_child.ts";
import { loaderFolders } from "../../process/child_env.ts";

/** A run of `bench` in a process of its own. */
export interface BenchRun {
  /** URL of the script. */
  readonly script: string;
  /** Its command line. */
  readonly args: readonly string[];
  /** The GPU that it may use, as CUDA_VISIBLE_DEVICES; that of this process's environment if left out. */
  readonly visible?: string | undefined;
  /** The file that takes what it says on standard error. */
  readonly log: string;
  /** Ends it in order: its finished passes are kept. */
  readonly stop: AbortSignal;
  /** Told of each line on standard output: a row of the table. */
  readonly onRow: () => void;
}

/** How it ended. */
export interface BenchEnd {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  /** The last lines of its standard error. */
  readonly said: string;
}

/** Permissions of the task `bench` in deno.json. */
export const BENCH_PERMISSIONS: readonly string[] = [
  "--allow-read",
  "--allow-write",
  `--allow-run=${Deno.execPath()}`,
  "--allow-env",
  "--allow-sys=cpus,systemMemoryInfo,osRelease,hostname",
];

/** Longest time that a run may take to end in order, ms. */
const PATIENCE_MS = 20_000;
/** Characters of standard error to keep for a failure's record. */
const SAID = 4000;

/**
 * Runs `bench`, and ends it with this process: in order when asked to, and by itself a moment after this process was
 * killed.
 *
 * Needs `--allow-run` for Deno itself.
 *
 * @example
 * ```ts
 * import { runBench } from "./bench_process.ts";
 *
 * const log = await Deno.makeTempFile();
 * const script = new URL("../../../bench/kv_cache.ts", import.meta.url).href;
 * const stop = new AbortController().signal;
 * const { code } = await runBench({ script, args: ["--version"], log, stop, onRow: () => {} });
 * console.log(code); // 0
 * await Deno.remove(log);
 * ```
 */
export async function runBench({ script, args, visible, log, stop, onRow }: BenchRun): Promise<BenchEnd> {
  const process = new Deno.Command(denoProgram(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--frozen", ...projectFlags(), ...BENCH_PERMISSIONS],
      ...[script, ...args],
    ],
    clearEnv: true,
    env: environment(visible),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const killing = new AbortController();
  using _tie = endWith(process, killing.signal);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = () => {
    try {
      process.kill(Deno.build.os === "windows" ? "SIGKILL" : "SIGTERM");
    } catch {
      // It has already ended.
    }
    timer = setTimeout(() => killing.abort(), PATIENCE_MS);
  };
  stop.addEventListener("abort", end, { once: true });
  if (stop.aborted) end();
  const [said, , { code, signal }] = await Promise.all([
    keep(process.stderr, log),
    readLines(process.stdout, onRow),
    process.status,
  ]);
  stop.removeEventListener("abort", end);
  clearTimeout(timer);
  return { code, signal, said };
}

/** Everything but the loader's variables, with which Deno starts no program; runs find those under another name. */
function environment(visible: string | undefined): Record<string, string> {
  const own = Object.entries(Deno.env.toObject()).filter(([name]) => !/^(LD|DYLD)_/.test(name));
  const folders = loaderFolders();
  return {
    ...Object.fromEntries(own),
    ...(folders === undefined ? {} : { KVCOMPRESS_LD_LIBRARY_PATH: folders }),
    ...(visible === undefined ? {} : { CUDA_VISIBLE_DEVICES: visible }),
    NO_COLOR: "1",
    // With this, as from `deno task`, a run ends when its parent has ended.
    INIT_CWD: Deno.cwd(),
  };
}

/** Writes a stream to a file, and returns its end. */
async function keep(stream: ReadableStream<Uint8Array<ArrayBuffer>>, path: string): Promise<string> {
  using file = await Deno.open(path, { append: true, create: true }).catch(() => undefined);
  const decoder = new TextDecoder();
  let end = "";
  for await (const bytes of stream) {
    end = (end + decoder.decode(bytes, { stream: true })).slice(-SAID);
    // A full disk stops no run.
    await file?.write(bytes).catch(() => {});
  }
  return end;
}
