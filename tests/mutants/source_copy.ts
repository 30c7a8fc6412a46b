/** Copies of the source in which faults are planted: nothing is changed in the tree itself. */
import { dirname, fromFileUrl, join } from "@std/path";
import { planted } from "./mutant.ts";
import type { Mutant } from "./mutant.ts";

/** The project's folder. */
export const ROOT = fromFileUrl(new URL("../../", import.meta.url));
/** What is linked, because no fault is planted in it: dependencies, models, texts. */
const LINKED = new Set(["node_modules", "lib/assets", "tests/fixtures", ".git", "docs", "results"]);

/** A copy of the source in a temporary folder. */
export class SourceCopy implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "kvcompress_mutants_" });

  constructor() {
    copy(ROOT, this.path);
  }

  /** Plants a fault. Returns a function that takes it out again. */
  plant(mutant: Pick<Mutant, "name" | "file" | "find" | "replace">): () => void {
    const path = join(this.path, mutant.file);
    const text = Deno.readTextFileSync(path);
    Deno.writeTextFileSync(path, planted(mutant, text));
    return () => Deno.writeTextFileSync(path, text);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** @param under The folder's path in the project. */
function copy(from: string, to: string, under = ""): void {
  for (const { name } of Deno.readDirSync(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    const { isDirectory } = Deno.statSync(source);
    // By path: a folder of the same name elsewhere is source, and a link would let a fault into the tree itself.
    if (LINKED.has(under + name)) {
      Deno.symlinkSync(Deno.realPathSync(source), target);
    } else if (isDirectory) {
      Deno.mkdirSync(target);
      copy(source, target, `${under}${name}/`);
    } else {
      Deno.mkdirSync(dirname(target), { recursive: true });
      Deno.copyFileSync(source, target);
    }
  }
}

/** How a program ended. */
export interface End {
  /** "hung": it ran past its time. */
  readonly end: "passed" | "failed" | "hung";
  readonly out: string;
}

/** Runs Deno in a copy. `deno` arguments as on the command line. */
export async function runIn(folder: string, args: readonly string[], patience: number): Promise<End> {
  const signal = AbortSignal.timeout(patience);
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: folder,
    env: { NO_COLOR: "1", ORT_DISABLE_TELEMETRY: "1" },
    stdout: "piped",
    stderr: "piped",
    signal,
  });
  const { success, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { end: success ? "passed" : signal.aborted ? "hung" : "failed", out: text(stdout) + text(stderr) };
}
