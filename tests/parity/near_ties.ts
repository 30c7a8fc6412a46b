/**
 * Choices by key norm that rounding could have made either way: two norms so near to each other that the last bits of a
 * sum decide which is the larger. Looked for in what the device keeps of entries, between the steps of a run.
 */
import type { KvCache } from "../../lib/cache/kv_cache.ts";
import type { Sizes } from "../../lib/policies/policy.ts";
import type { Score } from "../../lib/policies/score.ts";

/** A choice, and how near it was. */
export interface NearTie {
  /** Step after which it was made. */
  readonly step: number;
  readonly layer: number;
  readonly head: number;
  /** Difference of the norms of the entry that was dropped and of the next one, relative to them. */
  readonly gap: number;
}

/** Norms that are nearer than this are equal to float32, in which they are sums of squares of rounded keys. */
const ROUNDING = 1e-6;

/** Whether a score is the key's norm: 1, its negative: -1, or something else. */
function signOf(score: Score | undefined): 1 | -1 | undefined {
  if (score?.op === "feature" && score.name === "key_norm") return 1;
  return score?.op === "neg" && signOf(score.x) === 1 ? -1 : undefined;
}

/** Ranks and norms of all rows, by slot. */
interface Kept {
  readonly held: readonly number[];
  readonly rank: Float32Array<ArrayBuffer>;
  readonly norm: Float32Array<ArrayBuffer>;
}

function read(cache: KvCache): Kept {
  const { eviction: { runtime: { device } }, held } = cache;
  const state = cache.state(1)!;
  const { rows, width } = state.block.layout;
  const floats = (name: "rank" | "key_norm") => {
    const numbers = new Float32Array(rows * width);
    device.read(state.memory[name]!, 0, numbers);
    return numbers;
  };
  return { held: [...held], rank: floats("rank"), norm: floats("key_norm") };
}

/** The two entries of a row's middle that are the first to leave, worst first: slots and norms. */
function worstTwo(
  { rank, norm }: Kept,
  start: number,
  entries: number,
  { sink, recent }: Sizes,
  sign: 1 | -1,
): readonly [number, number] {
  let worst = -1, next = -1;
  const score = (slot: number) => slot < 0 ? Infinity : sign * norm[start + slot]!;
  for (let slot = 0; slot < entries - 1; slot++) {
    const place = rank[start + slot]!;
    if (place < sink || place >= entries - recent) continue;
    if (score(slot) < score(worst)) [worst, next] = [slot, worst];
    else if (score(slot) < score(next)) next = slot;
  }
  return [worst, next];
}

/**
 * Watches a run whose method keeps recent entries and drops one a step by norm, as all of the Python benchmark's
 * methods except `l2_compress` and `snapkv_lite` do in the steady state. It does not see other steps.
 */
export class NearTies {
  readonly found: NearTie[] = [];
  #before: Kept | undefined;

  /** Call it after each step. */
  watch(steps: number, cache: KvCache): void {
    const { score, keeper, acting } = cache.eviction;
    const sign = signOf(score);
    if (sign === undefined) return;
    const before = this.#before;
    this.#before = read(cache);
    if (!before) return;
    const { kvHeads, width } = cache.state(1)!.block.layout;
    acting.forEach((layer, i) => {
      const entries = before.held[layer]! + 1;
      const sizes = keeper.keep(layer, entries);
      if (sizes === "all" || sizes.heavy === 0 || sizes.recent === 0 || cache.held[layer] !== entries - 1) return;
      for (let head = 0; head < kvHeads; head++) {
        const start = (i * kvHeads + head) * width;
        const [worst, next] = worstTwo(before, start, entries, sizes, sign);
        const [a, b] = [before.norm[start + worst]!, before.norm[start + next]!];
        const gap = Math.abs(a - b) / b;
        if (gap < ROUNDING) this.found.push({ step: steps - 1, layer, head, gap });
      }
    });
  }
}

/**
 * Makes a choice fall the other way: gives the entry that would stay by next to nothing a norm just beyond that of the
 * one that would leave. Call it before the step.
 */
export function flip(cache: KvCache, { layer, head }: NearTie): void {
  const { score, keeper, acting, runtime: { device }, model: { kvHeads } } = cache.eviction;
  const sign = signOf(score)!;
  const kept = read(cache);
  const state = cache.state(1)!;
  const start = (acting.indexOf(layer) * kvHeads + head) * state.block.layout.width;
  const entries = kept.held[layer]! + 1;
  const [worst, next] = worstTwo(kept, start, entries, keeper.keep(layer, entries) as Sizes, sign);
  kept.norm[start + next] = kept.norm[start + worst]! * (1 - sign * ROUNDING);
  device.write(state.memory.key_norm!, 0, kept.norm);
}
