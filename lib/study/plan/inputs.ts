import { join } from "@std/path";
import { type DownloadEvent } from "../../hub/hub.ts";
import { type ModelFolder, openModelFolder } from "../../model/folder/model_folder.ts";
import type { BenchmarkResults, Environment } from "../../report/results/types.ts";
import { findModel } from "../../run/plan/find_model.ts";
import { weightFiles } from "../../run/plan/weight_files.ts";
import type { Fault } from "../../text/byte_text.ts";
import { findDataset } from "../../text/find_dataset.ts";
import { codeDigest } from "../../util/code_digest.ts";
import { InputError } from "../../util/errors.ts";
import { fingerprintOfFile } from "../../util/fingerprint.ts";
import { sha256OfFiles } from "../../util/sha256.ts";
import { parseFlags } from "../../cli/flags/parse.ts";
import { shortHash } from "./identity.ts";
import { argumentsOf } from "./plan_jobs.ts";
import type { PlannedJob } from "./types.ts";

/** What a job's keys depend on, in addition to its terms; not the hardware. */
export interface JobInputs {
  /** Hash of the model's config, tokenizer and weights. */
  readonly model: string;
  /** Hash of the text's files; of a data set on the hub, of its commit. */
  readonly text: string;
  /** SHA-256 of the project's code; "" if it is not in files. */
  readonly code: string;
}

/** What is told while inputs are opened, and what ends it. */
export interface InputTools {
  readonly signal?: AbortSignal;
  readonly onNote?: (message: string) => void;
  readonly onDownload?: (event: DownloadEvent) => void;
  /** Use no network, whatever the plan says. */
  readonly offline?: boolean;
}

/** Opens models and texts of jobs, each once, and hashes them. */
export class Inputs {
  readonly #models = new Map<string, Promise<{ folder: ModelFolder; hash: string }>>();
  readonly #texts = new Map<string, Promise<string>>();
  #code: Promise<string | null> | undefined;

  constructor(readonly tools: InputTools = {}) {}

  /**
   * Returns what a job's keys depend on.
   *
   * @throws {InputError} If the model or the text cannot be found.
   */
  async of(job: PlannedJob): Promise<JobInputs> {
    const [{ hash }, text, code] = await Promise.all([this.#model(job), this.#text(job), this.#code ??= codeDigest()]);
    return { model: hash, text, code: code ?? "" };
  }

  /** Returns the opened model of a job. */
  async modelOf(job: PlannedJob): Promise<ModelFolder> {
    return (await this.#model(job)).folder;
  }

  #model({ terms }: PlannedJob) {
    const { model_id, revision, dtype, offline } = parseFlags(argumentsOf(terms));
    const key = JSON.stringify([model_id, revision, dtype]);
    const open = async () => {
      const { offline: never = false, ...tools } = this.tools;
      const wish = { ...tools, model_id, revision, dtype, offline: offline || never };
      const { folder: path } = await findModel(wish);
      const folder = openModelFolder(path, dtype);
      const files = weightFiles(folder);
      const weights: Record<string, string> = {};
      for (const file of files) weights[file] = await fingerprintOfFile(join(folder.path, file));
      return { folder, hash: modelHash(await sha256OfFiles(folder.path, CONFIG_FILES), weights) };
    };
    return kept(this.#models, key, open);
  }

  #text({ terms }: PlannedJob): Promise<string> {
    const { dataset, split, offline } = parseFlags(argumentsOf(terms));
    const { signal, onNote = () => {}, onDownload } = this.tools;
    const key = JSON.stringify([dataset, split]);
    const fault: Fault = (why, cause) => new InputError(`Cannot read --dataset ${dataset}: ${why}`, { cause });
    const open = async () => {
      const hub = { onNote, onDownload, offline: offline || this.tools.offline === true, signal };
      const { files, commit } = await findDataset(dataset, split, hub, fault);
      if (files === undefined) throw fault("a sweep reads texts more than once; give a file, a folder or a name");
      // Of a commit, the files need not be here.
      if (commit !== undefined) return shortHash({ commit, files: files.map(({ name }) => name) }, 32);
      const hashes: string[] = [];
      for (const file of files) hashes.push(await fingerprintOfFile(await file.fetch()));
      return shortHash({ hashes }, 32);
    };
    return kept(this.#texts, key, open);
  }
}

/**
 * Returns the model and the code that a run had, from its results: they must be those that its cells' keys say.
 *
 * @example
 * ```ts
 * import { inputsOf } from "./inputs.ts";
 *
 * console.log(inputsOf({ model_sha256: {}, code_sha256: "ab" }).code); // ab
 * ```
 *
 * @param environment The run's environment.
 */
export function inputsOf(
  { model_sha256, weights_fingerprint, code_sha256 }: Pick<
    Environment,
    "model_sha256" | "weights_fingerprint" | "code_sha256"
  >,
): Pick<JobInputs, "model" | "code"> {
  const config = Object.fromEntries(
    CONFIG_FILES.flatMap((file) => model_sha256[file] ? [[file, model_sha256[file]]] : []),
  );
  return { model: modelHash(config, weights_fingerprint ?? {}), code: code_sha256 ?? "" };
}

/**
 * Returns the hardware that a run's times depend on, as it stands in keys: the GPU's name, or the CPU's and its cores.
 *
 * @example
 * ```ts
 * import { hardwareOf } from "./inputs.ts";
 *
 * console.log(hardwareOf("cpu", { gpu: null, cpu: { model: "EPYC", cores: 8 } })); // EPYC, 8 cores
 * ```
 *
 * @param device The run's device.
 * @param environment The machine.
 */
export function hardwareOf(
  device: BenchmarkResults["config"]["device"],
  { gpu, cpu }: Pick<Environment, "cpu"> & { readonly gpu: { readonly name: string } | null },
): string {
  return device === "cuda" && gpu !== null ? gpu.name : `${cpu.model}, ${cpu.cores} cores`;
}

const CONFIG_FILES = ["config.json", "tokenizer.json"];

function modelHash(config: Readonly<Record<string, string>>, weights: Readonly<Record<string, string>>): string {
  return shortHash({ config, weights }, 32);
}

async function kept<T>(map: Map<string, Promise<T>>, key: string, open: () => Promise<T>): Promise<T> {
  const known = map.get(key) ?? open();
  map.set(key, known);
  return await known;
}
