import { deepEqual, ok } from "node:assert/strict";
import { Engine } from "../../lib/engine/engine.ts";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import { distributionOf, draw } from "../../lib/speculative/decode/distribution.ts";
import { decode } from "../../lib/speculative/decode/decode.ts";
import { fixedGamma } from "../../lib/speculative/decode/gamma.ts";
import { acceptSampled } from "../../lib/speculative/decode/rule.ts";
import type { Target } from "../../lib/speculative/decode/target.ts";
import type { Draft } from "../../lib/speculative/drafts/draft.ts";
import { NO_MEMORY } from "../../lib/speculative/drafts/draft.ts";
import { seededRandom } from "../../lib/util/random.ts";
import { embeddedModel, goldenTokens } from "../parity/golden.ts";

const SAMPLES = 100_000;
/** The vocabulary is cut to its first tokens. */
const VOCAB = 64;
/** 99.9 % quantile of chi-square, by degrees of freedom (Wilson and Hilferty 1931): right to 0.1 % from 10 on. */
const limitOf = (freedom: number) => freedom * (1 - 2 / (9 * freedom) + 3.0902 * Math.sqrt(2 / (9 * freedom))) ** 3;

/** Logits of the embedded model after two places of a text, for the first tokens of its vocabulary. */
function realLogits(): [Float32Array, Float32Array] {
  const runtime = openRuntime("cpu");
  const model = embeddedModel();
  using engine = new Engine(runtime, model, {
    dtype: "float32",
    attention: "fused",
    maxPositions: 128,
    table: { layers: new Array(model.spec.layers).fill([]) },
    logits: "last",
  });
  const after = (count: number) => {
    using sequence = engine.sequence([{ tokens: count, times: 1 }], 0);
    sequence.forward(goldenTokens.slice(0, count), 0);
    return sequence.logits().slice(0, VOCAB);
  };
  return [after(60), after(90)];
}

const [logits, others] = realLogits();
// Hot enough that most tokens are drawn often.
const p = distributionOf(logits, { temperature: 3, topP: 1 });
const q = distributionOf(others, { temperature: 3, topP: 1 });

/** Chi-square of counts against probabilities; tokens that are expected fewer than 10 times count as one. */
function chiSquare(counts: Float64Array, expected: Float64Array): { statistic: number; limit: number } {
  const total = counts.reduce((a, b) => a + b);
  const cells: [number, number][] = [];
  const rare: [number, number] = [0, 0];
  expected.forEach((share, i) => {
    if (share * total >= 10) cells.push([counts[i]!, share * total]);
    else {
      rare[0] += counts[i]!;
      rare[1] += share * total;
    }
  });
  if (rare[1] > 0) cells.push(rare);
  const statistic = cells.reduce((sum, [seen, wanted]) => sum + (seen - wanted) ** 2 / wanted, 0);
  return { statistic, limit: limitOf(cells.length - 1) };
}

/** Counts first tokens of rounds that draft one token each, by a rule. */
function count(rule: typeof acceptSampled, seed: number): Float64Array {
  const random = seededRandom(seed);
  const counts = new Float64Array(VOCAB);
  for (let i = 0; i < SAMPLES; i++) {
    const token = draw(q, random());
    const { accepted, next } = rule([token], [q], () => p, random);
    counts[accepted === 1 ? token : next]!++;
  }
  return counts;
}

Deno.test("100,000 sampled tokens have the target's distribution", () => {
  ok(p.filter((share) => share * SAMPLES >= 10).length > 40, "most tokens are drawn often");
  ok(q.some((share, i) => share > 1.2 * p[i]!) && q.some((share, i) => share < 0.8 * p[i]!), "the draft differs");
  for (const seed of [1, 2, 3]) {
    const { statistic, limit } = chiSquare(count(acceptSampled, seed), p);
    ok(statistic < limit, `seed ${seed}: ${statistic.toFixed(1)} of ${limit.toFixed(1)}`);
  }
});

/** Puts one sample in a hundred on one token. */
const biased: typeof acceptSampled = (drafted, drafts, target, random) =>
  random() < 0.01 ? { accepted: 0, next: 7 } : acceptSampled(drafted, drafts, target, random);

Deno.test("a bias of 1 % is found", () => {
  for (const seed of [1, 2, 3]) {
    const { statistic, limit } = chiSquare(count(biased, seed), p);
    ok(statistic > limit, `seed ${seed}: ${statistic.toFixed(1)} of ${limit.toFixed(1)}`);
  }
});

/** A model in which the next token depends on the last one alone: `[last][next]`, logits. */
type Chain = readonly Float32Array[];

/** Neighbours in the real model's logits, shifted from token to token. */
const chainOf = (from: Float32Array): Chain =>
  Array.from({ length: VOCAB }, (_, last) => from.map((_, i) => from[(i + 5 * last) % VOCAB]!));

/** Reads tokens of a chain, and remembers how many are in its cache. */
class ChainTarget implements Target {
  held = 0;
  #read = 0;
  constructor(readonly chain: Chain) {}

  verify(tokens: readonly number[]) {
    this.#read = tokens.length;
    return { predicted: tokens.map(() => 0), logits: (row: number) => this.chain[tokens[row]!]! };
  }

  keep(tokens: number): void {
    ok(tokens >= 1 && tokens <= this.#read);
    this.held += tokens;
  }
}

/** Drafts with another chain. */
class ChainDraft implements Draft {
  readonly memory = NO_MEMORY;
  readonly steps = 0;
  readonly #distributions: readonly Float64Array[];
  constructor(chain: Chain, readonly random: () => number) {
    this.#distributions = chain.map((row) => distributionOf(row, SAMPLING));
  }

  propose(text: readonly number[], count: number) {
    const tokens: number[] = [];
    const distributions: Float64Array[] = [];
    for (let last = text.at(-1)!; tokens.length < count; last = tokens.at(-1)!) {
      const distribution = this.#distributions[last]!;
      distributions.push(distribution);
      tokens.push(draw(distribution, this.random()));
    }
    return { tokens, distributions };
  }

  settle(): void {}
  [Symbol.dispose](): void {}
}

const SAMPLING = { temperature: 3, topP: 1 };

Deno.test("100,000 tokens of a text that is drafted and verified follow each other as the target has it", () => {
  const [own, drafted] = [chainOf(logits), chainOf(others)];
  for (const tokens of [1, 4]) {
    const random = seededRandom(11 + tokens);
    const target = new ChainTarget(own);
    const text = [3];
    const { tokens: written, rounds } = decode({
      target,
      draft: new ChainDraft(drafted, random),
      gamma: fixedGamma(tokens),
      text,
      newTokens: SAMPLES,
      sampling: SAMPLING,
      random,
    });
    ok(rounds.some(({ accepted }) => accepted === tokens) && rounds.some(({ accepted }) => accepted === 0));
    deepEqual(target.held, written.length);
    const all = [...text, ...written];
    const pairs = new Float64Array(VOCAB * VOCAB);
    const before = new Float64Array(VOCAB);
    for (let i = 1; i < all.length; i++) {
      pairs[all[i - 1]! * VOCAB + all[i]!]!++;
      before[all[i - 1]!]!++;
    }
    const expected = new Float64Array(VOCAB * VOCAB);
    own.forEach((row, last) => {
      distributionOf(row, SAMPLING).forEach((share, next) =>
        expected[last * VOCAB + next] = share * before[last]! / written.length
      );
    });
    const { statistic, limit } = chiSquare(pairs, expected);
    ok(statistic < limit, `${tokens} drafted: ${statistic.toFixed(0)} of ${limit.toFixed(0)}`);
  }
});
