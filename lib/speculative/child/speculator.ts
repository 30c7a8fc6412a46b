import { Engine } from "../../engine/engine.ts";
import type { EngineOptions } from "../../engine/engine_options.ts";
import { Verifier } from "../../engine/verifier.ts";
import type { ModelFolder } from "../../model/folder/model_folder.ts";
import type { Runtime } from "../../ort/runtime.ts";
import { seededRandom } from "../../util/random.ts";
import { decode, firstToken } from "../decode/decode.ts";
import type { Sampling } from "../decode/distribution.ts";
import { AutoGamma, fixedGamma, type Round } from "../decode/gamma.ts";
import { EngineTarget, roomFor } from "../decode/target.ts";
import type { DraftMemory } from "../drafts/draft.ts";
import { DraftSessions } from "../drafts/open_draft.ts";
import type { DraftSpec } from "../plan/draft_spec.ts";
import { plainDecode, type PlainDecoded } from "./plain_decode.ts";
import type { Writing } from "./writing.ts";

/** How drafts are verified: "rows": in one pass that has the bits of steps; "steps": token by token; "pass": in an ordinary pass. */
export type Verification = "rows" | "steps" | "pass";

/** Drafted tokens of a round: a number, or chosen as the text is written. */
export type GammaChoice = number | "auto";

/** What is loaded. */
export interface SpeculatorOptions
  extends Pick<EngineOptions, "dtype" | "attention" | "maxPositions" | "threads" | "kernels"> {
  readonly verification: Verification;
  readonly gamma: GammaChoice;
  /** How tokens are chosen; undefined for the most likely one. */
  readonly sampling?: Sampling | undefined;
  /** Entries that there is room for beyond a text: at least {@linkcode roomOf}; the same in runs that are compared. */
  readonly room: number;
  /** Whether logits are read, to compare them. */
  readonly logits?: boolean;
}

/** A text that was written speculatively. */
export interface Written {
  /** All tokens after the prompt; perhaps a few more than asked for. */
  readonly tokens: readonly number[];
  /** The rounds that were timed. */
  readonly rounds: readonly Round[];
  /** Time until the first token, s: the target's. */
  readonly ttft_s: number;
  /** Bytes of the target's cache. */
  readonly cache_bytes: number;
  readonly draft: DraftMemory;
  /** Passes of the draft's model, and of the target by number of tokens, the prompt's not counted. */
  readonly draft_steps: number;
  readonly passes: Readonly<Record<string, number>>;
}

/**
 * Returns the sizes of passes that verify up to so many drafted tokens: in between, a pass is padded.
 *
 * @example
 * ```ts
 * import { verifierSizes } from "./speculator.ts";
 *
 * console.log(verifierSizes(6)); // [ 2, 3, 5, 7 ]
 * ```
 *
 * @param gamma Drafted tokens of a round.
 */
export function verifierSizes(gamma: GammaChoice): number[] {
  const most = gamma === "auto" ? Math.max(...AUTO_SIZES) - 1 : gamma;
  return [...new Set([...AUTO_SIZES.filter((size) => size <= most), most + 1])].filter((size) => size > 1);
}

const AUTO_SIZES = [2, 3, 5, 9];

/**
 * Returns the room that a text needs: see {@linkcode roomFor}.
 *
 * @example
 * ```ts
 * import { roomOf } from "./speculator.ts";
 *
 * console.log(roomOf(4) < roomOf("auto")); // true
 * ```
 *
 * @param gamma Drafted tokens of a round; 0 for plain decoding.
 */
export function roomOf(gamma: GammaChoice): number {
  return roomFor(Math.max(0, ...verifierSizes(gamma)));
}

/**
 * A model that writes texts, plainly and speculatively.
 *
 * @example
 * ```ts
 * import { openRuntime } from "../../engine/open_runtime.ts";
 * import { openModelFolder } from "../../model/folder/model_folder.ts";
 * import { readDraft } from "../plan/draft_spec.ts";
 * import { roomOf, Speculator } from "./speculator.ts";
 *
 * using speculator = new Speculator(openRuntime("cpu"), openModelFolder("lib/assets/novel-neox-8m"), {
 *   dtype: "float32",
 *   attention: "fused",
 *   maxPositions: 128,
 *   verification: "rows",
 *   gamma: 2,
 *   room: roomOf(2),
 * });
 * const writing = { prompt: [1, 2, 3, 1, 2], warmup: 0, newTokens: 8, seed: 0 };
 * const { tokens } = speculator.plain(writing);
 * const written = speculator.write(readDraft("ngram"), writing);
 * console.log(written.tokens.slice(0, 9).join() === tokens.join()); // true
 * ```
 */
export class Speculator implements Disposable {
  readonly engine: Engine;
  readonly #verifiers: readonly Verifier[];
  /** Sizes of the passes of the project's own kernels that verify. */
  readonly #rows: readonly number[];
  readonly #drafts: DraftSessions;
  readonly #made = new DisposableStack();

  /**
   * Loads the model.
   *
   * @param runtime Where it runs.
   * @param model The model.
   * @param options How it runs.
   */
  constructor(runtime: Runtime, model: ModelFolder, readonly options: SpeculatorOptions) {
    const { dtype, attention, maxPositions, threads, kernels, verification, gamma, sampling, logits = false } = options;
    using made = new DisposableStack();
    const isRead = logits || sampling !== undefined;
    const sizes = verification === "steps" || gamma === 0 ? [] : verifierSizes(gamma);
    const verifies = sizes.length > 0 && verification === "rows" && runtime.device.kind === "cuda";
    this.engine = made.use(
      new Engine(runtime, model, {
        dtype,
        attention,
        maxPositions,
        threads,
        kernels,
        table: { layers: new Array(model.spec.layers).fill([]) },
        logits: isRead ? "last" : false,
        verifies,
      }),
    );
    const sums = verification === "rows" ? "step" : "pass";
    this.#rows = verifies ? sizes : [];
    this.#verifiers = verifies ? [] : sizes.map((rows) => made.use(new Verifier(this.engine, rows, isRead, sums)));
    this.#drafts = made.use(new DraftSessions(this.engine));
    this.#made = made.move();
  }

  /** Writes a text plainly, step by step. */
  plain(writing: Writing): PlainDecoded {
    const { sampling, room } = this.options;
    return plainDecode(this.engine, { ...writing, room }, sampling, seededRandom(writing.seed));
  }

  /**
   * Writes a text speculatively.
   *
   * @param spec What drafts.
   * @param writing The text.
   * @param truth The text as plain decoding writes it, prompt included: what an oracle knows.
   */
  write(spec: DraftSpec, writing: Writing, truth: readonly number[] = []): Written {
    const { gamma, sampling, room } = this.options;
    const { prompt, warmup, newTokens, seed, onLogits } = writing;
    const random = seededRandom(seed);
    const most = verifierSizes(gamma).at(-1)! - 1;
    using target = new EngineTarget(this.engine, {
      prompt,
      newTokens: warmup + newTokens,
      room,
      verifiers: this.#verifiers,
      rows: this.#rows,
      logits: this.engine.logits !== false,
    });
    const use = { prompt, newTokens: warmup + newTokens, most, sampling, seed, random, truth };
    using draft = this.#drafts.open(spec, target, use);
    const chosen = gamma === "auto" ? new AutoGamma() : fixedGamma(gamma);
    const text = [...prompt, firstToken(target, sampling, random)];
    const common = { target, draft, gamma: chosen, sampling, random, ...(onLogits ? { onLogits } : {}) };
    text.push(...decode({ ...common, text, newTokens: warmup }).tokens);
    const { tokens, rounds } = decode({ ...common, text, newTokens });
    return {
      tokens: [...text.slice(prompt.length), ...tokens],
      rounds,
      ttft_s: target.ttft_s,
      cache_bytes: target.sequence.cache.bytes,
      draft: draft.memory,
      draft_steps: draft.steps,
      passes: Object.fromEntries([...target.passes].sort(([a], [b]) => a - b)),
    };
  }

  [Symbol.dispose](): void {
    this.#made[Symbol.dispose]();
  }
}
