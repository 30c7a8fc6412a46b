/**
 * How far bfloat16's rounding alone moves a family's logits, over many fresh texts, and what each place has to do with
 * it: a plain decoder in float64 that rounds where ONNX Runtime's operators do.
 *
 *     deno run -A tests/parity/rounding_tails.ts [FAMILY] [TEXTS]
 *
 * @module
 */
import { numbers } from "../cache/_numbers.ts";
import { ReferenceCache } from "../reference/cache.ts";
import { nearest, type Place, type Rounding, weightsIn } from "../reference/rounding.ts";
import { SpecDecoder } from "../reference/spec.ts";
import type { Weights } from "../reference/neox.ts";
import { familyModel } from "./family_parity.ts";
import { weightsFor } from "./judge.ts";

const TOKENS = 41;
const PLACES: readonly Place[] = [
  "norm weight",
  "embedding scale",
  "embedding",
  "norm",
  "product",
  "inner product",
  "cosine",
  "rotated key",
  "rotated query",
  "score scale",
  "scaled query",
  "score",
  "probability",
  "attended",
  "activation",
  "gate",
  "residual",
  "logit",
];

const [family = "gemma", texts = "200"] = Deno.args;
const model = familyModel(family);
const { layers, heads, kvHeads, vocab } = model.spec;
const exact = weightsFor(model), rounded = weightsIn("bfloat16", exact);
const round = (x: number) => nearest("bfloat16", x);

function logits(ids: readonly number[], weights: Weights, rounding?: Rounding): Float64Array[] {
  const cache = new ReferenceCache({ layers, heads, kvHeads }, { keep: () => "all" });
  const decoder = new SpecDecoder(model.spec, weights, cache, "absolute", rounding);
  return ids.map((id) => decoder.step(id, true).logits);
}

/** What is rounded, by name. */
const WAYS: Readonly<Record<string, readonly [Weights, Rounding?]>> = {
  "all places": [rounded, (_, x) => round(x)],
  "weights alone": [rounded],
  ...Object.fromEntries(
    PLACES.map((place) => [`${place} alone`, [exact, (at: Place, x: number) => at === place ? round(x) : x]]),
  ),
};
const errors = new Map(Object.keys(WAYS).map((name) => [name, [] as number[]]));
for (let text = 0; text < Number(texts); text++) {
  const next = numbers(text);
  const ids = Array.from({ length: TOKENS }, () => Math.floor(next() * vocab));
  const right = logits(ids, exact);
  const largest = right.reduce((most, row) => row.reduce((most, x) => Math.max(most, Math.abs(x)), most), 1);
  for (const [name, [weights, rounding]] of Object.entries(WAYS)) {
    // Each place alone over a tenth of the texts: these say how the parts compare, and are no limits.
    if (name !== "all places" && text % 10 > 0) continue;
    const off = logits(ids, weights, rounding).map((row, i) =>
      row.reduce((worst, x, j) => Math.max(worst, Math.abs(x - right[i]![j]!)), 0)
    );
    errors.get(name)!.push(Math.max(...off) / largest);
  }
}
console.log(`${family}: largest error of a logit as a share of the largest, over texts of ${TOKENS} tokens`);
for (const [name, found] of errors) {
  found.sort((a, b) => a - b);
  const [median, p95, worst] = [0.5, 0.95, 1].map((share) =>
    found[Math.ceil(share * found.length) - 1]!.toExponential(1)
  );
  console.log(`${name.padEnd(24)} median ${median}, 95 % below ${p95}, worst ${worst} of ${found.length} texts`);
}
