/** Runs of a real model under a policy, compared with the reference choice by choice. */
import { deepEqual, ok } from "node:assert/strict";
import type { KvCache } from "../../lib/cache/kv_cache.ts";
import { firstDraw } from "../../lib/cache/random_graph.ts";
import { type PassGroup, tabulate } from "../../lib/cache/schedule.ts";
import type { AttentionForm } from "../../lib/model/graph/attention/attention_form.ts";
import type { ModelFolder } from "../../lib/model/folder/model_folder.ts";
import type { Policy, Sizes } from "../../lib/policies/policy.ts";
import { Engine } from "../../lib/engine/engine.ts";
import type { Neox, Weights } from "../reference/neox.ts";
import { SpecDecoder } from "../reference/spec.ts";
import { runtime } from "./_device.ts";
import { kept, type Method, ReferenceCache, uniform } from "../reference/cache.ts";
import { again, type Numbering, ReferenceDecoder, type Seen } from "../reference/decoder.ts";

/** A choice that rounding could have turned either way. */
export interface NearTie {
  /** Tokens of the text when it was made. */
  readonly tokens: number;
  readonly layer: number;
  readonly head: number;
  /** Relative distance between the scores of the entries chosen differently. */
  readonly gap: number;
}

/** Relative error of a score between float32 and float64. */
const ROUNDING = 1e-5;

/**
 * Compares what a KV head kept with the reference's choice, and lets the reference keep the same. They may differ only
 * if the scores in question are equal except for rounding.
 *
 * @param held Indices of the text that the device holds.
 */
export function followChoice(
  cache: ReferenceCache,
  at: { readonly layer: number; readonly head: number; readonly row: number; readonly draw: number },
  sizes: Sizes | "all",
  held: ArrayLike<number>,
  nearTies: NearTie[],
): void {
  const { layer, head } = at;
  const entries = cache.rows[layer]![head]!;
  if (sizes === "all") return deepEqual([...Array.from(held)], entries.map(({ index }) => index));
  const random = (rank: number) => uniform(at.draw, at.row, rank);
  const chosen = cache.choose(layer, head, sizes, random);
  const indices = new Set(Array.from(held));
  const ranks = entries.flatMap(({ index }, rank) => indices.has(index) ? [rank] : []);
  const where = `${cache.tokens} tokens, layer ${layer}, head ${head}`;
  if (ranks.length !== kept(sizes)) throw new Error(`${where}: ${ranks.length} of ${kept(sizes)} held`);
  const other = [...new Set(ranks).symmetricDifference(new Set(chosen))];
  if (other.length > 0) {
    const scores = cache.scores(layer, head, sizes, random);
    const disputed = other.map((rank) => scores[rank - sizes.sink]);
    ok(disputed.every((score) => score !== undefined), `${where}: sinks and recent entries are not the same`);
    const [least, most] = [Math.min(...disputed as number[]), Math.max(...disputed as number[])];
    const gap = (most - least) / Math.max(Math.abs(most), Math.abs(least), Number.MIN_VALUE);
    ok(gap < ROUNDING, `${where}: held ${ranks}, the reference ${chosen}, with scores ${gap} apart`);
    nearTies.push({ tokens: cache.tokens, layer, head, gap });
  }
  cache.keep(layer, head, ranks);
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
        followChoice(cache, { layer, head, row, draw }, sizes, held[layer]![head]!, nearTies);
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
