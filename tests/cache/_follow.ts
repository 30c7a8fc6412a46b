/** Runs of a real model under a policy, compared with the reference choice by choice. */
import { equal, ok } from "node:assert/strict";
import type { KvCache } from "../../lib/cache/kv_cache.ts";
import { firstDraw } from "../../lib/cache/random_graph.ts";
import { type PassGroup, tabulate } from "../../lib/cache/schedule.ts";
import type { AttentionForm } from "../../lib/model/graph/attention/attention_form.ts";
import type { ModelFolder } from "../../lib/model/folder/model_folder.ts";
import type { Policy } from "../../lib/policies/policy.ts";
import { Engine } from "../../lib/engine/engine.ts";
import type { Neox, Weights } from "../reference/neox.ts";
import { SpecDecoder } from "../reference/spec.ts";
import { runtime } from "./_device.ts";
import { type Method, ReferenceCache } from "../reference/cache.ts";
import { type Dispute, faultOf, followChoice } from "../reference/choice.ts";
import type { Shape } from "../reference/magnitude.ts";
import { again, type Numbering, ReferenceDecoder, type Seen } from "../reference/decoder.ts";

/** A choice that rounding could have turned either way, and the relative distance of its two scores. */
export interface NearTie extends Pick<Dispute, "tokens" | "layer" | "head"> {
  readonly gap: number;
}

/** A choice that differs, which must be a tie. */
export function tied(dispute: Dispute, shape: Shape): NearTie {
  equal(faultOf(dispute, "float32", shape), undefined);
  const { tokens, layer, head, kept: { score: kept }, dropped: { score: dropped } } = dispute;
  const gap = Math.abs(kept - dropped) / Math.max(Math.abs(kept), Math.abs(dropped), Number.MIN_VALUE);
  return { tokens, layer, head, gap };
}

/** Fails if more choices differ than rounding explains. */
export function fewTies(nearTies: readonly NearTie[], choices: number, share = 0.01): void {
  const where = nearTies.map(({ tokens, layer, head, gap }) => `${tokens}/${layer}.${head} ${gap.toExponential(1)}`);
  ok(nearTies.length <= 1 + share * choices, `${nearTies.length} of ${choices} choices: ${where.join(", ")}`);
}

/** A run of a model under a policy, and of the reference under the method's definition. */
export interface Followed {
  readonly model: ModelFolder;
  /** Model for the reference; if left out, as its family's file describes it. */
  readonly neox?: Neox;
  readonly weights: Weights;
  readonly policy: Policy;
  readonly method: Method;
  readonly skip?: readonly number[];
  readonly ids: readonly number[];
  /** Tokens of each pass. */
  readonly passes: readonly number[];
  readonly positions?: Numbering;
  readonly attention?: AttentionForm;
  readonly seed?: number;
  /** What the first tokens add to the cache, if known: nothing may be evicted before them. */
  readonly known?: readonly (readonly Seen[])[];
  /** Largest allowed error of logits; not checked if left out. */
  readonly logits?: number;
}

/** Follows a run. Returns the choices that differ, and the number of choices. */
export function follow(run: Followed): { readonly nearTies: readonly NearTie[]; readonly choices: number } {
  const { model, neox, policy, method, ids, passes, skip = [], positions = "absolute", seed = 0 } = run;
  const { layers, heads, kvHeads } = model.spec;
  const sequence = stretchesOf(passes);
  using engine = new Engine(runtime(), model, {
    dtype: "float32",
    attention: run.attention ?? "explicit",
    maxPositions: ids.length,
    table: tabulate(policy, { layers }, skip, [sequence]),
    score: policy.score,
    attentionUse: policy.attention,
    positions,
    trace: true,
    threads: 1,
    logits: run.logits !== undefined,
  });
  using device = engine.sequence(sequence, seed);
  const { acting } = engine.eviction;
  const cache = new ReferenceCache({ layers, heads, kvHeads }, method, new Set(skip));
  const decoder = neox
    ? new ReferenceDecoder(neox, run.weights, cache, positions)
    : new SpecDecoder(model.spec, run.weights, cache, positions);
  const nearTies: NearTie[] = [];
  let at = 0, choices = 0;
  for (const [pass, tokens] of passes.entries()) {
    device.forward(ids.slice(at, at + tokens), 0);
    device.evict();
    let logits = new Float64Array();
    for (const end = at + tokens; at < end; at++) {
      const known = run.known?.[at];
      if (known) again(cache, at, known);
      else {logits = decoder.step(ids[at]!, run.logits !== undefined && at === end - 1, end - at)
          .logits as typeof logits;}
    }
    if (logits.length > 0) {
      const got = device.logits().subarray(-logits.length);
      const off = logits.reduce((most, logit, i) => Math.max(most, Math.abs(logit - got[i]!)), 0);
      ok(off < run.logits!, `logits after ${at} tokens are off by ${off}`);
    }
    const held = device.cache.heldPositions();
    for (const layer of acting) {
      const sizes = cache.sizes(layer);
      for (let head = 0; head < kvHeads; head++) {
        const row = acting.indexOf(layer) * kvHeads + head;
        const draw = firstDraw(seed, tokens === 1 ? "drop" : "compact") + (tokens === 1 ? pass : 0);
        const at = { method: policy.method, layer, head, row, draw };
        const dispute = followChoice(cache, at, sizes, held[layer]![head]!);
        if (dispute) nearTies.push(tied(dispute, model.spec));
        choices++;
      }
    }
  }
  if (policy.attention) compareAttention(device.cache, cache);
  return { nearTies, choices };
}

/** Passes in the form that a sequence takes. */
export const stretchesOf = (passes: readonly number[]): PassGroup[] => passes.map((tokens) => ({ tokens, times: 1 }));

/** Compares the attention kept per entry with the reference's. */
export function compareAttention(cache: KvCache, reference: ReferenceCache): void {
  const state = cache.state(1);
  if (!state) return;
  const { width, kvHeads, acting } = state.block.layout;
  const use = reference.method.attention!;
  const lines = use.from === "last" ? use.window : 1;
  const read = (name: "rank" | "attention", row: number, lines: number) => {
    const numbers = new Float32Array(lines * width);
    runtime().device.read(state.memory[name]!, 4 * row * lines * width, numbers);
    return numbers;
  };
  acting.forEach((layer, i) => {
    for (let head = 0; head < kvHeads; head++) {
      const row = i * kvHeads + head;
      const [ranks, attention] = [read("rank", row, 1), read("attention", row, lines)];
      reference.rows[layer]![head]!.forEach((entry, rank) => {
        const slot = ranks.indexOf(rank);
        let paid = 0;
        for (let line = 0; line < lines; line++) paid += attention[line * width + slot]!;
        const expected = reference.paid(entry);
        ok(
          Math.abs(paid - expected) < 1e-4 * expected + 1e-7,
          `layer ${layer}, head ${head}: entry ${entry.index} was paid ${paid}, by the reference ${expected}`,
        );
      });
    }
  });
}
