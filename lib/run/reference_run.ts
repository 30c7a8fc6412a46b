import { Reason } from "../util/reason.ts";
import type { ReferenceUse } from "./child/protocol.ts";
import { type Job, jobsOf, type ReferenceSource } from "./jobs.ts";
import type { Ledger } from "./ledger.ts";
import { type ReferencePlan, rowBytes, rowsOf, strideFor } from "./measure/reference_plan.ts";
import type { Plan } from "./plan/plan.ts";
import { ReferenceFiles } from "./reference_files.ts";

/**
 * The full cache's logits during a run: its quality pass writes them first, the other configurations' are compared with
 * them step by step.
 */
export class ReferenceRun implements AsyncDisposable {
  readonly #plan: ReferencePlan;
  #told = false;

  private constructor(
    readonly source: ReferenceSource,
    readonly files: ReferenceFiles,
    readonly onNote: (message: string) => void,
    readonly vocab: number,
    readonly samples: number,
  ) {
    this.#plan = strideFor(source.request.maxTokens, vocab, samples);
  }

  /**
   * Opens the files, if the distance is asked for and there is something left to compare.
   *
   * @returns Undefined if nothing is compared; the reason is noted if it was asked for.
   */
  static async open(
    { reference, requests, results, vocab }: Plan,
    ledger: Ledger,
    onNote: (message: string) => void = () => {},
  ): Promise<ReferenceRun | undefined> {
    if (reference === undefined) return undefined;
    const index = requests.indexOf(reference);
    const source = { request: reference, configuration: index < 0 ? undefined : index };
    const isCompared = (job: Job) => job.pass === "quality" && job.configuration !== source.configuration;
    if (!jobsOf(requests, ledger).some(isCompared)) return undefined;
    const files = await ReferenceFiles.create();
    if (!(files instanceof Reason)) {
      // Deno splits the list of folders that a process may write to at commas.
      if (!files.folder.includes(",")) {
        return new ReferenceRun(source, files, onNote, vocab, results.config.num_samples);
      }
      await files[Symbol.asyncDispose]();
    }
    const why = files instanceof Reason ? files.text : `TMPDIR has a comma in its name: ${files.folder}`;
    onNote(`The distance from the full cache is not measured: ${why}`);
    return undefined;
  }

  /** The folder of the files. */
  get folder(): string {
    return this.files.folder;
  }

  /** Returns what a process does with the files; undefined for a speed pass, and if they could not be written. */
  async useOf({ pass, configuration, wanted }: Job): Promise<ReferenceUse | undefined> {
    if (pass === "speed") return undefined;
    const paths = Array.from({ length: this.samples }, (_, sample) => this.files.path(sample));
    if (configuration === this.source.configuration) return { role: "write", paths, plan: this.#plan };
    const bytes = rowsOf(this.#plan, this.source.request.maxTokens) * rowBytes(this.vocab);
    for (const sample of wanted) {
      const problem = await this.files.problem(sample, bytes);
      if (problem === undefined) continue;
      if (!this.#told) this.onNote(`The distance from the full cache is not measured: ${problem}`);
      this.#told = true;
      return undefined;
    }
    return { role: "compare", paths, plan: this.#plan };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.files[Symbol.asyncDispose]();
  }
}
