/**
 * A run judged by a plain decoder in float64: what it holds after each pass, and each NLL. At a choice that differs the
 * scores must be tied within rounding; then the reference makes the same choice, and the comparison goes on.
 */
import { firstDraw } from "../../lib/cache/random_graph.ts";
import type { ModelFolder } from "../../lib/model/folder/model_folder.ts";
import type { FloatType } from "../../lib/util/dtype.ts";
import { weightsOf } from "../model/_weights.ts";
import { kept, type Method, ReferenceCache } from "../reference/cache.ts";
import { ChoiceFault, type Dispute, distanceOf, faultOf, followChoice } from "../reference/choice.ts";
import { again, type Seen } from "../reference/decoder.ts";
import type { Weights } from "../reference/neox.ts";
import { SpecDecoder } from "../reference/spec.ts";
import { passesOf, type Reading, type RunResult, SEED } from "./reading.ts";
import type { Checked } from "./outcome.ts";

/** What the reference says of a run. */
export interface Judged {
  /** Largest difference of a token's NLL, nats; the pass it is of. */
  readonly worst: number;
  readonly worstPass: number;
  /** Choices compared, rows that something was dropped from. */
  readonly choices: number;
  /** Choices that fell differently, and how near a tie the furthest of them is: up to 1 rounding explains it. */
  readonly ties: number;
  readonly furthest: number;
  /** The first choice that rounding does not explain. */
  readonly fault?: string;
}

/** The reference's run, with the choices of another one. */
interface Followed {
  readonly held: RunResult["held"];
  readonly nll: readonly number[];
  readonly disputes: readonly Dispute[];
  readonly choices: number;
  readonly fault?: string;
}

/** What the first tokens of a text add to a model's cache while nothing is evicted. */
interface Known {
  readonly ids: readonly number[];
  readonly layers: readonly (readonly Seen[])[];
}

const known = new WeakMap<ModelFolder, Map<string, Known>>();
const weightsByModel = new WeakMap<ModelFolder, Weights>();

/** A model's weights in float64, read once. */
export function weightsFor(model: ModelFolder): Weights {
  const weights = weightsByModel.get(model) ?? weightsOf(model);
  weightsByModel.set(model, weights);
  return weights;
}

/** Judges runs of one reading: those that hold the same are followed once. */
export class Judge {
  readonly #followed: Followed[] = [];

  /** @param method What the reference keeps: by default the policy's own sizes and score. */
  constructor(readonly reading: Reading, readonly method: Method = reading.policy) {}

  judge(result: RunResult, dtype: FloatType): Judged {
    const { reading: { model: { spec } } } = this;
    let followed = this.#followed.find(({ held }) => isSame(held, result.held));
    if (!followed) this.#followed.push(followed = this.#follow(result.held));
    const { nll, disputes, choices } = followed;
    const off = nll.map((nll, i) => Math.abs(nll - result.nll[i]!));
    const distances = disputes.map((dispute) => distanceOf(dispute, dtype, spec));
    const untied = disputes.find((dispute) => faultOf(dispute, dtype, spec) !== undefined);
    const fault = untied ? faultOf(untied, dtype, spec) : followed.fault;
    // NaN is the worst of all.
    const worst = off.reduce((most, x) => x > most || Number.isNaN(x) ? x : most, 0);
    return {
      worst,
      worstPass: off.findIndex((x) => Object.is(x, worst)),
      choices,
      ties: disputes.length,
      furthest: Math.max(0, ...distances),
      ...(fault === undefined ? {} : { fault }),
    };
  }

  #follow(held: RunResult["held"]): Followed {
    const { reading, method } = this;
    const { model, policy, positions, skip, ids } = reading;
    const { layers, heads, kvHeads } = model.spec;
    const cache = new ReferenceCache({ layers, heads, kvHeads }, method, new Set(skip));
    const decoder = new SpecDecoder(model.spec, weightsFor(model), cache, positions);
    const passes = passesOf(reading);
    // The last token of the first pass is run in any case: its logits are needed.
    const prompt = this.#prompt(passes[0]! - 1);
    const acting = Array.from({ length: layers }, (_, layer) => layer).filter((layer) => held[0]![layer]!.length > 0);
    const nll: number[] = [], disputes: Dispute[] = [];
    let at = 0, choices = 0, compactions = 0;
    for (const [pass, tokens] of passes.entries()) {
      let logits = new Float64Array();
      for (const end = at + tokens; at < end; at++) {
        const seen = prompt[at];
        if (seen) again(cache, at, seen);
        else logits = decoder.step(ids[at]!, at === end - 1, end - at).logits as typeof logits;
      }
      nll.push(nllOf(logits, ids[at]!));
      let compacts = false;
      try {
        for (let layer = 0; layer < layers; layer++) {
          const sizes = cache.sizes(layer), row = acting.indexOf(layer);
          if (row < 0 && sizes !== "all") {
            throw new ChoiceFault(`${policy.method}: layer ${layer} drops nothing, and the method does`);
          }
          if (row < 0) continue;
          const entries = cache.rows[layer]![0]!.length;
          const single = tokens === 1 && (sizes === "all" || entries - kept(sizes) === 1);
          if (sizes !== "all" && !single) compacts = true;
          const draw = single ? firstDraw(SEED, "drop") + pass : firstDraw(SEED, "compact") + compactions;
          for (let head = 0; head < kvHeads; head++) {
            const where = { method: policy.method, layer, head, row: row * kvHeads + head, draw };
            const dispute = followChoice(cache, where, sizes, held[pass]![layer]![head]!);
            if (dispute) disputes.push(dispute);
            if (sizes !== "all") choices++;
          }
        }
      } catch (error) {
        if (!(error instanceof ChoiceFault)) throw error;
        return { held, nll, disputes, choices, fault: error.message };
      }
      if (compacts) compactions++;
    }
    return { held, nll, disputes, choices };
  }

  /** What the text's first tokens add, from what another reading of it has found. */
  #prompt(tokens: number): readonly (readonly Seen[])[] {
    const { reading: { model, positions, ids } } = this;
    const { spec } = model;
    // Where frequencies grow with the text, a token depends on its pass.
    if (spec.rope?.growth || tokens < 16) return [];
    const byNumbering = known.get(model) ?? new Map<string, Known>();
    known.set(model, byNumbering);
    // While nothing is evicted an entry's index is its place, but keys are stored unrotated if places are positions.
    const kind = positions === "cache" ? "cache" : "index";
    const found = byNumbering.get(kind);
    if (found && found.layers.length >= tokens && ids.slice(0, tokens).every((id, i) => id === found.ids[i])) {
      return found.layers.slice(0, tokens);
    }
    const { layers, heads, kvHeads } = spec;
    const cache = new ReferenceCache({ layers, heads, kvHeads }, { keep: () => "all" });
    const decoder = new SpecDecoder(spec, weightsFor(model), cache, positions);
    const made = { ids: ids.slice(0, tokens), layers: ids.slice(0, tokens).map((id) => decoder.step(id).layers) };
    byNumbering.set(kind, made);
    return made.layers;
  }
}

/** NLL of a token by the logits before it, nats. */
export function nllOf(logits: ArrayLike<number>, target: number): number {
  let most = -Infinity, sum = 0;
  for (let i = 0; i < logits.length; i++) most = Math.max(most, logits[i]!);
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - most);
  return most + Math.log(sum) - logits[target]!;
}

function isSame(a: RunResult["held"], b: RunResult["held"]): boolean {
  const equal = (x: Int32Array, y: Int32Array) => x.length === y.length && x.every((index, i) => index === y[i]);
  return a.every((layers, pass) =>
    layers.every((heads, layer) => {
      const others = b[pass]![layer]!;
      return heads.length === others.length && heads.every((row, head) => equal(row, others[head]!));
    })
  );
}

/**
 * A judgement as the outcome of a check.
 *
 * @param limit The most that a token's NLL may be off, nats.
 */
export function checked(
  { worst, worstPass, choices, ties, furthest, fault }: Judged,
  reading: Reading,
  limit: number,
): Checked {
  if (fault !== undefined) return { verdict: "failed", text: fault };
  if (worstPass < 0) return { verdict: "empty", text: "no NLL was compared" };
  if (choices === 0 && reading.policy.method !== "baseline") {
    return { verdict: "empty", text: "the method dropped nothing" };
  }
  const tied = ties === 0
    ? ""
    : `, ${ties} ties in ${choices} choices, the furthest at ${furthest.toFixed(2)} of what rounding explains`;
  return {
    verdict: worst <= limit ? "passed" : "failed", // not where it is NaN
    text: `worst NLL off by ${worst.toExponential(1)} of ${limit.toExponential(1)}${tied}`,
  };
}
