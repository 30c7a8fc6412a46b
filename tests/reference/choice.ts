/** What a row kept against the reference's choice: the same, or tied within rounding. */
import type { Sizes } from "../../lib/policies/policy.ts";
import type { FloatType } from "../../lib/util/dtype.ts";
import { kept, type ReferenceCache, uniform } from "./cache.ts";
import { roundingShare, type Shape, sizesOf } from "./magnitude.ts";

/** Which row, and the number of its random draw. */
export interface ChoiceAt {
  readonly method: string;
  readonly layer: number;
  readonly head: number;
  /** The row's index among those that the method acts on. */
  readonly row: number;
  readonly draw: number;
}

/** A choice that differs from the reference's: the two entries that are furthest apart. */
export interface Dispute {
  readonly method: string;
  /** Tokens of the text when it was made. */
  readonly tokens: number;
  readonly layer: number;
  readonly head: number;
  /** Entries that the layer held. */
  readonly entries: number;
  /** The entry that was kept and is not by the reference, and the one that was not. */
  readonly kept: Disputed;
  readonly dropped: Disputed;
}

/** An entry's index in the text, its score in float64, and what the score was added up from: see sizesOf. */
export interface Disputed {
  readonly index: number;
  readonly score: number;
  readonly size: number;
}

/** A choice that rounding does not explain. */
export class ChoiceFault extends Error {
  override readonly name = "ChoiceFault";
}

/**
 * Compares what a row kept with the reference's choice, and lets the reference keep the same.
 *
 * @param held Indices of the text that the row holds, ascending.
 * @returns Where they differ, if they do.
 * @throws {ChoiceFault} If another number of entries is held, or not the same sinks and recent ones.
 */
export function followChoice(
  cache: ReferenceCache,
  at: ChoiceAt,
  sizes: Sizes | "all",
  held: ArrayLike<number>,
): Dispute | undefined {
  const { layer, head } = at;
  const entries = cache.rows[layer]![head]!;
  const where = `${at.method}: layer ${layer}, head ${head}, after ${cache.tokens} tokens`;
  const holds = new Set(Array.from(held));
  const ranks = entries.flatMap(({ index }, rank) => holds.has(index) ? [rank] : []);
  const count = sizes === "all" ? entries.length : kept(sizes);
  if (held.length !== count || ranks.length !== count) {
    const strange = Array.from(held).filter((index) => !entries.some((entry) => entry.index === index));
    throw new ChoiceFault(
      `${where}: ${held.length} entries are held, the method keeps ${count}` +
        (strange.length > 0 ? `; entry ${strange[0]} was dropped before` : ""),
    );
  }
  if (sizes === "all") return;
  const random = (rank: number) => uniform(at.draw, at.row, rank);
  const chosen = cache.choose(layer, head, sizes, random);
  const [ours, theirs] = [new Set(ranks), new Set(chosen)];
  const others = [...ours.difference(theirs)], missing = [...theirs.difference(ours)];
  if (others.length === 0) return void cache.keep(layer, head, ranks);
  const { sink, recent } = sizes;
  const outside = [...missing, ...others].find((rank) => rank < sink || rank >= entries.length - recent);
  if (outside !== undefined) {
    throw new ChoiceFault(
      `${where}: entry ${entries[outside]!.index}, at place ${outside} of ${entries.length}, is no matter of choice: ` +
        `the first ${sink} and the last ${recent} are kept`,
    );
  }
  const scores = cache.scores(layer, head, sizes, random);
  const { score } = cache.method;
  const middle = entries.slice(sink, entries.length - recent);
  const { sharpest } = cache;
  const paid = cache.method.attention ? (entry: typeof middle[number]) => cache.paid(entry) : () => 0;
  // Where a function gives the scores, all that is known of what they were added up from is the largest of them.
  const largest = Math.max(...scores.map(Math.abs));
  const sizeOf = typeof score === "function"
    ? middle.map(() => largest * (cache.method.attention ? 1 + sharpest : 1))
    : sizesOf(score!, { entries: middle, paid, sharpest });
  const told = (rank: number): Disputed => ({
    index: entries[rank]!.index,
    score: scores[rank - sink]!,
    size: sizeOf[rank - sink]!,
  });
  const by = (sign: 1 | -1) => (a: Disputed, b: Disputed) => sign * (a.score - b.score);
  const dispute = {
    ...{ method: at.method, tokens: cache.tokens, layer, head, entries: entries.length },
    kept: others.map(told).sort(by(1))[0]!,
    dropped: missing.map(told).sort(by(-1))[0]!,
  };
  cache.keep(layer, head, ranks);
  return dispute;
}

/** How much of what rounding may do to the two scores lies between them: up to 1 it is a tie. */
export function distanceOf({ layer, entries, kept, dropped }: Dispute, dtype: FloatType, shape: Shape): number {
  const gap = Math.abs(dropped.score - kept.score);
  // Equal numbers are tied however small they are; scores that are none are never.
  return gap === 0 ? 0 : gap / (roundingShare(dtype, shape, layer, entries) * (kept.size + dropped.size));
}

/** Says what is wrong with a choice, if it is no tie. */
export function faultOf(dispute: Dispute, dtype: FloatType, shape: Shape): string | undefined {
  if (distanceOf(dispute, dtype, shape) <= 1) return;
  const { method, tokens, layer, head, kept, dropped, entries } = dispute;
  const most = roundingShare(dtype, shape, layer, entries) * (kept.size + dropped.size);
  return `${method}: layer ${layer}, head ${head}, after ${tokens} tokens: entry ${kept.index} is kept with a score of ` +
    `${kept.score} and entry ${dropped.index} is not, with ${dropped.score}; rounding explains ${
      most.toExponential(1)
    }`;
}
