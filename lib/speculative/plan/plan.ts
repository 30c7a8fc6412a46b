import { verifierObstacle, type VerifierUse } from "../../engine/verifier.ts";
import { MOST_TOKENS } from "../../kernels/row_kernels.ts";
import { isRepoId } from "../../hub/repo.ts";
import { isThere } from "../../model/folder/files.ts";
import { type ModelFolder, openModelFolder } from "../../model/folder/model_folder.ts";
import { baseline } from "../../policies/baseline.ts";
import { fromUserFolder } from "../../process/user_folder.ts";
import { describeEnvironment } from "../../report/results/environment.ts";
import { localTimestamp } from "../../report/results/results_folder.ts";
import { SPECULATIVE_SCHEMA, type SpeculativeResults } from "../../report/results/speculative_types.ts";
import { checkHighestPosition } from "../../run/plan/check_input.ts";
import { chooseAttention } from "../../run/plan/choose.ts";
import { EMBEDDED_MODEL_ID, findModel } from "../../run/plan/find_model.ts";
import { openInput, type RunInput } from "../../run/plan/input.ts";
import { TokenizerProcess } from "../../text/tokenizer_process.ts";
import { InputError } from "../../util/errors.ts";
import { sha256OfFiles, sha256OfTokens } from "../../util/sha256.ts";
import type { SpeculativeRequest } from "../child/protocol.ts";
import { type GammaChoice, roomOf, type Verification, verifierSizes } from "../child/speculator.ts";
import { PLAIN } from "../summary/summarize.ts";
import { DRAFT_EXAMPLES, draftModel, type DraftSpec, readDraft, withFolder } from "./draft_spec.ts";
import { SPECULATIVE_DEFAULTS, type SpeculativeOptions } from "./options.ts";
import { checkSameVocabulary } from "./same_vocabulary.ts";
import { promptOf, QUESTION, readWorkload, type Workload } from "./workload.ts";

/** A way of writing texts: plainly, or with a draft and a gamma. */
export interface Configuration {
  readonly name: string;
  readonly draft: string | null;
  readonly gamma: GammaChoice | null;
  /** Without the texts: they depend on the round. */
  readonly request: Omit<SpeculativeRequest, "texts">;
}

/** A run before its first text. */
export interface SpeculativePlan {
  readonly results: SpeculativeResults;
  readonly configurations: readonly Configuration[];
  /** Prompts, `[samples][lengths]`. */
  readonly prompts: readonly (readonly (readonly number[])[])[];
}

/**
 * Makes the plan of a run: opens models, text and device. Every mistake is found here, before anything is measured.
 *
 * @param options The options given.
 * @returns The plan.
 * @throws {InputError} Saying what is wrong and what would do.
 */
export async function planSpeculative(options: SpeculativeOptions): Promise<SpeculativePlan> {
  const { draft: drafts, gamma: gammas, num_warmup, temperature, top_p, seed, kernels } = options;
  const specs = drafts.map(readDraft);
  const { workload, file } = readWorkload(options.workload);
  if (temperature > 0 && specs.some(({ kind }) => kind === "oracle")) {
    throw new InputError("Cannot sample with an oracle: it knows the greedy text; leave --temperature out");
  }
  const own = { ...options, dataset: file ?? options.dataset };
  const { input, lengths, newTokens } = await open(own);
  const { model, dtype, found: { device } } = input;
  if (model.export) {
    throw new InputError(
      `Cannot decode speculatively with ${model.export.step.path}: give a model with safetensors files`,
    );
  }
  const room = Math.max(...gammas.map(roomOf));
  const maxPositions = Math.max(...lengths) + num_warmup + newTokens + 2 * room;
  const attention = chooseAttention(
    options.attention,
    dtype,
    model,
    device,
    { name: "plain", policy: baseline() },
    maxPositions,
  );
  checkHighestPosition("the longest of --lengths", "absolute", maxPositions, model);
  const found: DraftSpec[] = [];
  for (const spec of specs) found.push(await withModel(spec, model, own, maxPositions));
  const { verification, reason } = chooseVerification(
    options.verify,
    model,
    { device, dtype, maxPositions, kernels },
    gammas,
  );
  const common = {
    type: "speculate",
    model: model.path,
    device,
    dtype,
    attention,
    kernels,
    verification,
    maxPositions,
    room,
    warmup: num_warmup,
    newTokens,
    seed,
    ...(temperature > 0 ? { sampling: { temperature, topP: top_p } } : {}),
  } as const;
  const configurations = [
    { name: PLAIN, draft: null, gamma: null, request: common },
    ...found.flatMap((spec, i) =>
      gammas.map((gamma) => ({
        name: `${drafts[i]} gamma ${gamma}`,
        draft: drafts[i]!,
        gamma,
        request: { ...common, draft: { spec, gamma } },
      }))
    ),
  ];
  const results: SpeculativeResults = {
    schema: SPECULATIVE_SCHEMA,
    config: {
      model_id: options.model_id,
      timestamp: localTimestamp(),
      device,
      dtype,
      attention,
      dataset: own.dataset,
      workload,
      drafts,
      gammas,
      lengths,
      max_new_tokens: newTokens,
      num_warmup,
      num_samples: options.num_samples,
      repetitions: options.repetitions,
      temperature,
      top_p,
      seed,
      verification,
      bit_equal: verification !== "pass",
      ...(reason === undefined ? {} : { verification_reason: reason }),
    },
    environment: await environmentOf(input),
    runs: [],
    rows: [],
    break_even: [],
    failures: [],
  };
  return { results, configurations, prompts: await promptsOf(workload, input, lengths) };
}

/** Opens the model, the text and the device. */
async function open(options: SpeculativeOptions) {
  const { model_id, revision, offline, dataset, split, text_column, min_chars, device, dtype, seed } = options;
  const { num_samples, num_warmup, repetitions, signal, onNote, onDownload } = options;
  // The device decides about lengths, and the text is opened before the device is known: as for the longer ones.
  const wanted = options.lengths ?? SPECULATIVE_DEFAULTS[device === "cuda" ? "cuda" : "cpu"].lengths;
  const longest = Math.max(...wanted);
  const input = await openInput({
    ...{ configurations: [], model_id, revision, dataset, split, text_column, min_chars, device, dtype, seed },
    ...(offline === undefined ? {} : { offline }),
    ...(signal ? { signal } : {}),
    ...(onNote ? { onNote } : {}),
    ...(onDownload ? { onDownload } : {}),
    ...{ num_samples, num_warmup, repetitions, skip_layers: [] },
    max_tokens: Math.max(1, longest - 1),
    prompt_tokens: longest,
    max_new_tokens: 2,
  });
  const defaults = SPECULATIVE_DEFAULTS[input.found.device];
  return { input, lengths: wanted, newTokens: options.max_new_tokens ?? defaults.max_new_tokens };
}

/** Finds the model of a draft, and checks that it can draft for the target. */
async function withModel(
  spec: DraftSpec,
  target: ModelFolder,
  { offline, onNote, onDownload, signal }: SpeculativeOptions,
  maxPositions: number,
): Promise<DraftSpec> {
  const name = draftModel(spec);
  if (name === undefined) return spec;
  const path = fromUserFolder(name);
  if (!isThere(path) && !isRepoId(name) && name !== EMBEDDED_MODEL_ID) {
    throw new InputError(`Cannot draft with ${name}: there is no such folder; --draft takes ${DRAFT_EXAMPLES}`);
  }
  const { folder } = await findModel({
    model_id: isThere(path) ? path : name,
    ...(offline === undefined ? {} : { offline }),
    ...(onNote ? { onNote } : {}),
    ...(onDownload ? { onDownload } : {}),
    ...(signal ? { signal } : {}),
  });
  const model = openModelFolder(folder);
  if (model.export) throw new InputError(`Cannot draft with ${name}: it is an ONNX export; give safetensors files`);
  await checkSameVocabulary(target, model);
  checkHighestPosition(`the draft ${name}`, "absolute", maxPositions, model);
  return withFolder(spec, folder);
}

/** Chooses how drafts are verified, and says why it is not the way that has the bits of steps in one pass. */
function chooseVerification(
  wanted: SpeculativeOptions["verify"],
  model: ModelFolder,
  use: VerifierUse,
  gammas: readonly GammaChoice[],
): { readonly verification: Verification; readonly reason: string | undefined } {
  const widest = Math.max(...gammas.flatMap(verifierSizes));
  const obstacle = verifierObstacle(model, use) ??
    (use.device === "cuda" && widest > MOST_TOKENS
      ? `the project's kernels verify ${MOST_TOKENS} tokens at most, --gamma ${MOST_TOKENS - 1}`
      : undefined);
  if (wanted === "rows" && obstacle !== undefined) {
    throw new InputError(`Cannot use --verify rows: ${obstacle}; leave it to auto`);
  }
  const verification = wanted === "auto" ? obstacle === undefined ? "rows" : "steps" : wanted;
  return {
    verification,
    reason: verification === "rows" ? undefined : wanted === "auto" ? obstacle : `--verify ${wanted}`,
  };
}

async function promptsOf(workload: Workload, { model, samples }: RunInput, lengths: readonly number[]) {
  let question: readonly number[] = [];
  if (workload === "qa") {
    using tokenizer = new TokenizerProcess(model.path);
    question = await (await tokenizer.loaded).encode(QUESTION);
  }
  return samples.map((sample) => lengths.map((length) => promptOf(workload, sample, length, question)));
}

async function environmentOf({ model, hub, text, samples, found }: RunInput) {
  return describeEnvironment({
    gpu: found.gpu,
    onnxruntime: found.onnxruntime,
    onnxruntime_path: found.onnxruntimePath,
    providers: [...found.providers],
    ...(hub ? { model_commit: hub.commit } : {}),
    model_sha256: await sha256OfFiles(model.path, ["config.json", "tokenizer.json"]),
    ...(text.commit === undefined ? {} : { text_commit: text.commit }),
    text_sha256: await text.sha256(),
    samples_sha256: samples.map(sha256OfTokens),
  });
}
