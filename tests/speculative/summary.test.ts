import { deepEqual, equal, match, ok } from "node:assert/strict";
import {
  SPECULATIVE_SCHEMA,
  type SpeculativeResults,
  type SpeculativeRun,
} from "../../lib/report/results/speculative_types.ts";
import { breakEvens } from "../../lib/speculative/summary/break_even.ts";
import { draftFigures } from "../../lib/speculative/summary/draft_figures.ts";
import { PLAIN, summarize } from "../../lib/speculative/summary/summarize.ts";
import { formatSpeculative } from "../../lib/speculative/summary/table.ts";

/** Rounds of so many drafted and accepted tokens, each of 1 s of drafting, 2 s of verification, 0.5 s of the rest. */
function rounds(...of: readonly (readonly [drafted: number, accepted: number])[]) {
  const list = (value: (of: readonly [number, number]) => number) => of.map(value);
  return {
    asked: list(() => 3),
    drafted: list(([drafted]) => drafted),
    accepted: list(([, accepted]) => accepted),
    draft_s: list(() => 1),
    verify_s: list(() => 2),
    total_s: list(() => 3.5),
  };
}

function run(own: Partial<SpeculativeRun>): SpeculativeRun {
  return {
    name: PLAIN,
    draft: null,
    gamma: null,
    round: 0,
    place: 0,
    sample: 0,
    length: 100,
    tokens: [1, 2, 3],
    ttft_s: 1,
    tpot_s: 2,
    memory: { cache: 1024 },
    ...own,
  };
}

function results(runs: SpeculativeRun[], config: Partial<SpeculativeResults["config"]> = {}): SpeculativeResults {
  return {
    schema: SPECULATIVE_SCHEMA,
    config: {
      model_id: "m",
      timestamp: "",
      device: "cpu",
      dtype: "float32",
      attention: "fused",
      dataset: "moby_dick",
      workload: "text",
      drafts: ["ngram", "oracle:0.5"],
      gammas: [2, 3],
      lengths: [100, 200],
      max_new_tokens: 2,
      num_warmup: 0,
      num_samples: 1,
      repetitions: 3,
      temperature: 0,
      top_p: 1,
      seed: 0,
      verification: "rows",
      bit_equal: true,
      ...config,
    },
    environment: { gpu: null, cpu: { model: "EPYC", cores: 2 } } as SpeculativeResults["environment"],
    runs,
    rows: [],
    break_even: [],
    failures: [],
  };
}

Deno.test("a draft's figures follow from its rounds", () => {
  const own = { sample: 0, tokens: [5, 6], rounds: rounds([3, 3], [3, 1], [2, 0], [0, 0]) };
  const figures = draftFigures([own], 4, () => [5, 6, 7]);
  equal(figures.tokens_per_verification, 2);
  equal(figures.acceptance, 0.5);
  // Position 1: three rounds drafted it, two kept it. Position 2: two came to it, one kept it. Position 3: one of one.
  deepEqual(figures.acceptance_by_position, [2 / 3, 1 / 2, 1]);
  deepEqual([figures.draft_share, figures.verify_share], [4 / 14, 8 / 14]);
  ok(Math.abs(figures.host_share - 2 / 14) < 1e-12);
  equal(figures.predicted_speedup, 4 * 2 / 3);
  equal(figures.equals_plain, true);
  equal(draftFigures([own], 4, () => [5, 9, 7]).equals_plain, false);
  equal(draftFigures([own], 4, () => undefined).equals_plain, false);
  equal(draftFigures([own], 4, undefined).equals_plain, null);
});

Deno.test("the speed-up is plain time over a draft's, in the same rounds", () => {
  const of = (name: string, draft: string | null, gamma: number | null, tpots: readonly number[], length = 100) =>
    tpots.map((tpot_s, round) =>
      run({ name, draft, gamma, tpot_s, round, length, ...(draft ? { rounds: rounds([2, 1]) } : {}) })
    );
  // The machine is slower from round to round; the draft always takes half.
  const all = results([
    ...of("ngram gamma 3", "ngram", 3, [1, 2, 4]),
    ...of(PLAIN, null, null, [2, 4, 8]),
    ...of("ngram gamma 2", "ngram", 2, [4, 8, 16]),
    ...of(PLAIN, null, null, [3, 3, 3], 200),
  ]);
  summarize(all);
  deepEqual(all.rows.map(({ name, length }) => [name, length]), [
    [PLAIN, 100],
    ["ngram gamma 2", 100],
    ["ngram gamma 3", 100],
    [PLAIN, 200],
  ]);
  const [plain, slow, fast] = all.rows;
  equal(plain!.speedup, null);
  ok(Math.abs(fast!.speedup!.estimate - 2) < 1e-9 && Math.abs(slow!.speedup!.estimate - 0.5) < 1e-9);
  equal(fast!.tpot_s, 2);
  deepEqual(all.break_even, [{ draft: "ngram", length: 100, earliest: 100, latest: 100, within: 100 }]);
});

Deno.test("the break-even is where the best gamma's speed-up reaches 1 for good", () => {
  const row = (length: number, estimate: number, spread = 0.1) => ({
    draft: "d",
    length,
    speedup: { estimate, low: estimate - spread, high: estimate + spread, confidence: 0.95 },
  });
  const of = (...rows: ReturnType<typeof row>[]) => breakEvens(rows)[0]!;
  deepEqual(of(row(100, 0.5), row(200, 0.8)).length, null);
  deepEqual(of(row(100, 0.95), row(200, 0.97)), { draft: "d", length: null, earliest: 100, latest: null, within: 200 });
  deepEqual(of(row(200, 1.5), row(100, 0.5)), { draft: "d", length: 150, earliest: 140, latest: 160, within: 200 });
  deepEqual(of(row(100, 1.2), row(200, 1.5)).length, 100);
  // Faster, slower, faster again: from the last crossing on.
  deepEqual(of(row(100, 1.5), row(200, 0.5), row(300, 1.5)).length, 250);
  // Another gamma is better at 100.
  deepEqual(of(row(100, 0.5), row(100, 1.1), row(200, 1.5)).length, 100);
  deepEqual(breakEvens([{ draft: null, length: 5, speedup: null }]), []);
});

Deno.test("an interval that is not known gives no earliest and no latest break-even", () => {
  const row = (length: number, estimate: number) => ({
    draft: "d",
    length,
    speedup: { estimate, low: NaN, high: NaN, confidence: 0 },
  });
  deepEqual(breakEvens([row(100, 0.5), row(200, 1.5)]), [
    { draft: "d", length: 150, earliest: null, latest: null, within: 200 },
  ]);
});

Deno.test("the table says what was verified, what is set, and what differs", () => {
  const drafted = run({ name: "oracle:0.5 gamma 2", draft: "oracle:0.5", gamma: 2, tpot_s: 1, rounds: rounds([2, 1]) });
  const all = results([run({}), drafted]);
  summarize(all);
  const text = formatSpeculative(all);
  match(text, /^oracle:0\.5 gamma 2 +100 +1000 +2\.00x +1\.33x +2\.00 +50\.0 +100 0 /m);
  match(text, /^Every text is that of plain decoding, token for token$/m);
  match(text, /^An oracle's acceptance is set, not measured/m);
  match(text, /^Drafts are verified in one pass whose sums run as in steps/m);
  match(text, /^oracle:0\.5: faster than plain decoding from a context of 100 on \(\? to over 100\)/m);

  const other = results([run({}), { ...drafted, tokens: [1, 9, 3] }], { verification: "pass", bit_equal: false });
  summarize(other);
  match(formatSpeculative(other), /^oracle:0\.5 gamma 2 at 100: the text is NOT that of plain decoding$/m);
  match(formatSpeculative(other), /not bit-equal/);

  const sampled = results([run({}), drafted], { temperature: 1 });
  summarize(sampled);
  match(formatSpeculative(sampled), /^Texts are sampled: they are not compared/m);
  ok(!formatSpeculative(sampled).includes("token for token"));
});
