/** A run in half precision without a GPU: a plain decoder that rounds where kernels do, and makes its own choices. */
import { firstDraw } from "../../lib/cache/random_graph.ts";
import { numbers } from "../cache/_numbers.ts";
import { float32, kept, ReferenceCache, uniform } from "../reference/cache.ts";
import type { Weights } from "../reference/neox.ts";
import { type Kernels, nearest, nudged, roundingOf, weightsIn } from "../reference/rounding.ts";
import { SpecDecoder } from "../reference/spec.ts";
import { nllOf, weightsFor } from "./judge.ts";
import type { HalfType } from "./limits.ts";
import { passesOf, type Reading, type RunResult, SEED } from "./reading.ts";

/** How a run is emulated. */
export interface Emulation {
  readonly dtype: HalfType;
  /** Whose kernels. */
  readonly kernels: Kernels;
  /** Seed of a nudge of each rounding by up to half a unit; left out, each is to the nearest. */
  readonly nudge?: number;
}

/** Weights of a type by the weights they are made from. */
const converted = new WeakMap<Weights, Partial<Record<HalfType, Weights>>>();

/** A decoder of a type over a cache. */
export function emulated(
  { model, positions }: Pick<Reading, "model" | "positions">,
  cache: ReferenceCache,
  { dtype, kernels, nudge }: Emulation,
): SpecDecoder {
  const exact = weightsFor(model);
  const byType = converted.get(exact) ?? {};
  converted.set(exact, byType);
  const random = nudge === undefined ? undefined : numbers(nudge);
  const round = roundingOf(kernels, random ? (x) => nudged(dtype, x, random) : (x) => nearest(dtype, x));
  return new SpecDecoder(model.spec, byType[dtype] ??= weightsIn(dtype, exact), cache, positions, round);
}

/** A run under a policy. Scores are float32's, of rounded keys and attention. */
export function emulate(reading: Reading, how: Emulation): RunResult {
  const { model: { spec: { layers, heads, kvHeads } }, policy, skip, ids } = reading;
  const cache = new ReferenceCache({ layers, heads, kvHeads }, policy, new Set(skip), float32);
  const decoder = emulated(reading, cache, how);
  const passes = passesOf(reading);
  // Layers that the method ever acts on: by its sizes alone, which do not depend on the text.
  const acts = Array.from(
    { length: layers },
    (_, layer) =>
      !skip.includes(layer) && ids.some((_, entries) => policy.keep({ layer, layers, entries: entries + 1 }) !== "all"),
  );
  const nll: number[] = [], held: Int32Array[][][] = [];
  let at = 0, compactions = 0;
  for (const [pass, tokens] of passes.entries()) {
    let logits = new Float64Array();
    for (const end = at + tokens; at < end; at++) {
      logits = decoder.step(ids[at]!, at === end - 1, end - at).logits as typeof logits;
    }
    nll.push(nllOf(logits, ids[at]!));
    let compacts = false, acting = 0;
    for (let layer = 0; layer < layers; layer++) {
      const sizes = cache.sizes(layer);
      const row = acts[layer] ? acting++ : -1;
      if (sizes === "all") continue;
      const single = tokens === 1 && cache.rows[layer]![0]!.length - kept(sizes) === 1;
      if (!single) compacts = true;
      const draw = single ? firstDraw(SEED, "drop") + pass : firstDraw(SEED, "compact") + compactions;
      const random = (head: number) => (rank: number) => uniform(draw, row * kvHeads + head, rank);
      for (let head = 0; head < kvHeads; head++) {
        cache.keep(layer, head, cache.choose(layer, head, sizes, random(head)));
      }
    }
    if (compacts) compactions++;
    held.push(
      cache.rows.map((rows, layer) =>
        acts[layer] ? rows.map((entries) => Int32Array.from(entries, ({ index }) => index)) : []
      ),
    );
  }
  return { nll, held, ms: 0 };
}
