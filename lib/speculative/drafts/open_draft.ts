import { Engine } from "../../engine/engine.ts";
import { ViewModel } from "../../engine/view_model.ts";
import { openModelFolder } from "../../model/folder/model_folder.ts";
import { methods } from "../../policies/registry.ts";
import { chooseAttention } from "../../run/plan/choose.ts";
import type { Sampling } from "../decode/distribution.ts";
import type { EngineTarget } from "../decode/target.ts";
import { type DraftSpec, entriesOf } from "../plan/draft_spec.ts";
import { Chooser } from "./chooser.ts";
import type { Draft } from "./draft.ts";
import { EngineDraft } from "./engine_draft.ts";
import { NgramDraft } from "./ngram_draft.ts";
import { OracleDraft } from "./oracle_draft.ts";
import { canView, policyAt, selfEngine, viewOf } from "./self_draft.ts";
import { ViewDraft } from "./view_draft.ts";

/** What a draft is opened for. */
export interface DraftUse {
  readonly prompt: readonly number[];
  /** The most tokens that follow it. */
  readonly newTokens: number;
  /** The most tokens of a proposal. */
  readonly most: number;
  readonly sampling: Sampling | undefined;
  readonly seed: number;
  /** Returns the next number, 0 <= x < 1; used if tokens are sampled. */
  readonly random: () => number;
  /** The text as plain decoding writes it, prompt included: what an oracle knows. */
  readonly truth: readonly number[];
  /** Whether a second cache is used where a view would do. */
  readonly noViews?: boolean;
}

/** Sessions of drafts, which serve several texts. Dispose of it after the drafts, and before the target's engine. */
export class DraftSessions implements Disposable {
  readonly #made = new Map<string, Engine | ViewModel>();

  /** @param target The target's engine. */
  constructor(readonly target: Engine) {}

  /**
   * Opens a draft for a text.
   *
   * @param spec What drafts.
   * @param target Has read the prompt.
   * @param use What it is for.
   * @returns The draft; dispose of it before the target.
   * @throws {InputError} If a model cannot be opened, or a policy is impossible.
   */
  open(spec: DraftSpec, target: EngineTarget, use: DraftUse): Draft {
    const { spec: { vocab, layers } } = this.target.model;
    if (spec.kind === "ngram") return new NgramDraft();
    if (spec.kind === "oracle") {
      const { rate, inner } = spec;
      const own = inner ? { inner: this.open(inner, target, use) } : {};
      return new OracleDraft({ truth: use.truth, rate, vocab, seed: use.seed, ...own });
    }
    const { prompt, newTokens, most, sampling, random, seed } = use;
    const chooser = new Chooser(sampling, vocab, random);
    const whole = { prompt, newTokens, most, chooser, seed };
    const longest = prompt.length + newTokens + 2 * most + 4;
    const sampled = sampling !== undefined;
    if (spec.kind === "model") {
      const engine = this.#once(spec.model, () => this.#model(spec.model, sampled)) as Engine;
      return new EngineDraft(engine, { ...whole, isSelf: false });
    }
    const entries = entriesOf(spec.budget, prompt.length);
    const policy = policyAt(spec.method, entries, layers, prompt.length);
    const view = use.noViews || !canView(this.target) ? undefined : viewOf(policy, layers, longest);
    const name = `${spec.method} ${entries} ${view ? "" : longest}`;
    if (view) {
      const model = this.#once(name, () => new ViewModel(this.target, view, sampled ? "last" : false));
      return new ViewDraft(target.sequence, model as ViewModel, chooser);
    }
    const engine = this.#once(name, () => selfEngine(this.target, policy, longest, sampled)) as Engine;
    return new EngineDraft(engine, { ...whole, isSelf: true });
  }

  #once(name: string, make: () => Engine | ViewModel): Engine | ViewModel {
    const made = this.#made.get(name) ?? make();
    this.#made.set(name, made);
    return made;
  }

  /** Loads a draft model, with its full cache. */
  #model(folder: string, sampled: boolean): Engine {
    const { runtime, options: { dtype, maxPositions, threads, kernels } } = this.target;
    const model = openModelFolder(folder);
    const configuration = { name: folder, policy: methods.baseline() };
    return new Engine(runtime, model, {
      dtype,
      attention: chooseAttention("auto", dtype, model, runtime.device.kind, configuration, maxPositions),
      maxPositions,
      threads,
      kernels,
      table: { layers: new Array(model.spec.layers).fill([]) },
      logits: sampled ? "last" : false,
    });
  }

  [Symbol.dispose](): void {
    for (const made of this.#made.values()) made[Symbol.dispose]();
  }
}
