import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import fc from "fast-check";
import { Keeper, tabulate } from "../../lib/cache/schedule.ts";
import { atBudget, BUDGET_MAKERS, type BudgetMethodName } from "../../lib/methods/at_budget.ts";
import { RECORDS } from "../../lib/methods/records.ts";
import type { Budget } from "../../lib/policies/budget.ts";
import { checkPolicy } from "../../lib/policies/check_policy.ts";
import { methods } from "../../lib/policies/registry.ts";
import { notesOf } from "../../lib/report/results/notes.ts";
import { qualityPasses } from "../../lib/run/measure/quality.ts";
import { checkBenchmarkOptions } from "../../lib/run/plan/check_options.ts";
import { makePlan } from "../../lib/run/plan/plan.ts";
import { resolveBudget } from "../../lib/run/plan/resolve_budget.ts";

interface Terms {
  readonly layers: number;
  readonly skip: readonly number[];
  readonly tokens: number;
}
const shapeOf = ({ layers, skip, tokens }: Terms) => ({
  layers,
  tokens,
  acting: Array.from({ length: layers }, (_, layer) => layer).filter((layer) => !skip.includes(layer)),
});
/** What all layers hold at the end of the quality pass, skipped ones included, by the tables that the run evicts by. */
function heldAtEnd(method: BudgetMethodName, budget: Budget, terms: Terms) {
  const { policy, budget: resolved } = resolveBudget(atBudget(method, budget), shapeOf(terms));
  checkPolicy(policy, { layers: terms.layers, maxEntries: terms.tokens });
  const passes = qualityPasses(terms.tokens);
  const keeper = new Keeper(tabulate(policy, terms, terms.skip, [passes]));
  const held = Array.from({ length: terms.layers }, (_, layer) => keeper.sequence(layer, passes).held);
  return { held, sum: held.reduce((a, b) => a + b, 0), entries: resolved!.entries };
}

const terms = fc.integer({ min: 1, max: 33 }).chain((layers) =>
  fc.record({
    layers: fc.constant(layers),
    skip: fc.subarray(Array.from({ length: layers }, (_, layer) => layer), { maxLength: layers - 1 }),
    tokens: fc.integer({ min: 20, max: 700 }),
  })
);
const names = Object.keys(BUDGET_MAKERS) as BudgetMethodName[];

/** What l2_compress at 0.8 can hold of a text's end: the most that any limit leaves, up to the budget. */
function best(entries: number, tokens: number): number {
  const passes = qualityPasses(tokens);
  const held = Array.from({ length: tokens }, (_, i) => {
    const policy = methods.l2_compress({ prune_after: i + 1 });
    return new Keeper(tabulate(policy, { layers: 1 }, [], [passes])).sequence(0, passes).held;
  });
  const below = held.filter((count) => count <= entries);
  return below.length > 0 ? Math.max(...below) : held[entries - 1]!;
}

for (const method of names) {
  Deno.test(`${method} holds a share of the full cache at the end of the quality pass, never more, hardly less`, () => {
    fc.assert(
      fc.property(terms, fc.integer({ min: 1, max: 1000 }), (terms, permille) => {
        const { layers, skip, tokens } = terms;
        const acting = layers - skip.length;
        const asked = permille / 1000 * layers * tokens;
        const left = (asked - skip.length * tokens) / acting;
        const run = () => heldAtEnd(method, `${permille / 10}%`, terms);
        if (left < 1 - 1e-9) {
          return throws(run, /^InputError: Cannot run .* with --budget .*--(skip_layers|max_tokens)/);
        }
        const { sum, held, entries } = run();
        if (method === "l2_compress") {
          return equal(held.at(-1), skip.includes(layers - 1) ? tokens : best(entries, tokens));
        }
        ok(sum <= asked + 1e-3, `${sum} of ${asked}: ${held}`);
        // Entries are whole, and so are the sizes that layers' sizes follow from.
        const slack = Math.max(0.02 * asked, acting * (method.startsWith("pyramid") ? 3 : 1));
        ok(sum > asked - slack, `${sum} of ${asked}: ${held}`);
      }),
      { numRuns: method === "l2_compress" ? 20 : 150 },
    );
  });

  Deno.test(`${method} holds a budget in entries on average over the layers that are not skipped`, () => {
    fc.assert(
      fc.property(terms, fc.integer({ min: 8, max: 600 }), (terms, entries) => {
        const { held, sum } = heldAtEnd(method, entries, terms);
        const { layers, skip, tokens } = terms;
        const mean = (sum - skip.length * tokens) / (layers - skip.length);
        const most = Math.min(entries, tokens);
        if (method === "l2_compress") return equal(mean, best(entries, tokens));
        ok(mean <= most + 1e-9, `${mean}: ${held}`);
        // A text shorter than the budget is held whole, except in layers that have less than others.
        if (entries < tokens) ok(mean > most - Math.max(0.02 * most, 3), `${mean}, not ${most}: ${held}`);
      }),
      { numRuns: method === "l2_compress" ? 20 : 100 },
    );
  });
}

Deno.test("a share counts skipped layers as full: with 2 of 32 skipped, the others get less", () => {
  const terms = { layers: 32, skip: [0, 1], tokens: 2000 };
  const { held, entries } = heldAtEnd("tova", "12.5%", terms);
  equal(entries, 133); // (0.125 x 32 x 2000 - 2 x 2000) / 30 = 133.3
  deepEqual(held, [2000, 2000, ...new Array(30).fill(133)]);
  equal(heldAtEnd("tova", "12.5%", { ...terms, skip: [] }).entries, 250);
  equal(heldAtEnd("tova", "100%", terms).entries, 2000);
});

Deno.test("l2_compress, whose cache swings, holds its budget when the text ends, and about as much on average", () => {
  for (const tokens of [1280, 2000]) {
    for (const keep_ratio of [0.3, 0.5, 0.8]) {
      for (const entries of [64, 128, 200, 512]) {
        const make = RECORDS.l2_compress.expandAt!(entries, { keep_ratios: [keep_ratio] } as never)[0]!.policy;
        const policy = make(entries, shapeOf({ layers: 1, skip: [], tokens }));
        const passes = qualityPasses(tokens);
        const { held } = new Keeper(tabulate(policy, { layers: 1 }, [], [passes])).sequence(0, passes);
        const limit = Number(policy.params["prune_after"]);
        const average = (1 + keep_ratio) / 2 * limit;
        const of = `${entries} of ${tokens} at ${keep_ratio}: ${held}, limit ${limit}`;
        ok(held <= entries && held >= 0.98 * entries, of);
        // A short text ends in one of few places of the swing.
        ok(Math.abs(average / entries - 1) < (keep_ratio < 0.5 ? 0.35 : 0.2), of);
      }
    }
  }
});

Deno.test("sizes by layer hold the budget on average over the layers that are compressed", () => {
  const terms = { layers: 32, skip: [0, 1], tokens: 2000 };
  for (const method of ["pyramid_kv", "pyramid_snapkv"] as const) {
    const { held } = heldAtEnd(method, 256, terms);
    const mean = held.slice(2).reduce((a, b) => a + b) / 30;
    ok(mean > 254 && mean <= 256, `${method}: ${mean}`);
    ok(held[2]! > 1.5 * held[31]!, `${held}`);
  }
});

Deno.test("a share that the skipped layers alone exceed is refused, and the least share is named", () => {
  const terms = { layers: 8, skip: [0, 1], tokens: 1280 };
  throws(
    () => heldAtEnd("h2o", "12.5%", terms),
    /^InputError: Cannot run h2o_12.5% with --budget 12.5%: the layers that are not compressed \(--skip_layers, 2 of 8\) alone hold 25% of the full cache; give --budget 25.06% or more, or skip fewer layers, as in --skip_layers none$/,
  );
  equal(heldAtEnd("h2o", "25.06%", terms).entries, 1);
  throws(() => heldAtEnd("h2o", "25%", terms), /--skip_layers/);
  throws(
    () => heldAtEnd("h2o", "1%", { layers: 8, skip: [], tokens: 50 }),
    /it leaves a layer less than one entry of 50 tokens; give --budget 2% or more, or a longer --max_tokens$/,
  );
  const all = { layers: 2, skip: [0, 1], tokens: 50 };
  throws(() => heldAtEnd("h2o", "50%", all), /with --budget 50%: --skip_layers leaves no layer to compress/);
  deepEqual([heldAtEnd("h2o", "100%", all).held, heldAtEnd("h2o", 20, all).held], [[50, 50], [50, 50]]);
});

Deno.test("a script's own method gets the entries and the shape", () => {
  let got: unknown;
  const own = {
    name: "own",
    budget: "50%",
    policy: (entries: number, shape: unknown) => {
      got = shape;
      return methods.tova({ cache_size: entries });
    },
  } as const;
  const { policy, budget } = resolveBudget(own, shapeOf({ layers: 4, skip: [1], tokens: 100 }));
  deepEqual([policy.params, budget], [{ cache_size: 33 }, { asked: "50%", entries: 33 }]);
  deepEqual(got, { layers: 4, acting: [0, 2, 3], tokens: 100 });
  const none = { ...own, policy: () => ({ method: "x" }) as never };
  throws(
    () => resolveBudget(none, shapeOf({ layers: 4, skip: [1], tokens: 100 })),
    /^InputError: Cannot use the options of the policy that configuration "own" makes for 33 entries: params is missing/,
  );
});

Deno.test("checkBenchmarkOptions() checks budgets and what makes policies", () => {
  const check = (configuration: object) => checkBenchmarkOptions({ configurations: [configuration as never] });
  const policy = () => methods.tova();
  for (const budget of [128, "25%", "0.5%"]) check({ name: "x", policy, budget });
  check(atBudget("tova", 64));
  for (const budget of [0, -1, 1.5, "25", "25 %", "0%", "101%", "025%", NaN, null]) {
    throws(
      () => check({ name: "x", policy, budget }),
      /"budget" of configuration "x": found .*, entries, at least 1, or/,
    );
  }
  throws(() => check({ name: "x", policy }), /its policy is a function that makes one; call it, .* a budget$/);
  throws(() => check({ name: "x", policy: methods.tova, budget: 64 }), /as in \(entries\) => tova\(…\)$/);
  throws(() => check({ name: "x", policy: methods.tova(), budget: 64 }), /its policy is already made; give a function/);
});

Deno.test("atBudget() refuses what is no method and no budget", () => {
  throws(() => atBudget("tovva" as never, 64), /^InputError: Cannot make .* no method tovva; did you mean tova\?$/);
  throws(() => atBudget("baseline" as never, 64), /there is no method baseline; give one of recent_only, /);
  throws(() => atBudget("tova", 0), /^InputError: Cannot make a configuration of tova: its budget is 0; give entries/);
});

const small = {
  device: "cpu",
  num_samples: 1,
  max_tokens: 100,
  prompt_tokens: 8,
  max_new_tokens: 2,
  output: null,
} as const;

Deno.test("makePlan() makes policies for budgets, and records what was asked for and what is held", async () => {
  const { results } = await makePlan({
    ...small,
    skip_layers: [0],
    configurations: [
      { name: "baseline", policy: methods.baseline() },
      atBudget("h2o", "50%"),
      atBudget("pyramid_snapkv", 32),
      { name: "odd", budget: 32, policy: (entries) => methods.tova({ cache_size: entries + 8 }) },
    ],
  });
  const found = results.configurations.map(({ name, budget }) => [name, budget?.asked, budget?.entries]);
  deepEqual(found, [
    ["baseline", undefined, undefined],
    ["h2o_50%", "50%", 42], // (0.5 x 8 x 100 - 100) / 7 = 42.9
    ["pyramid_snapkv_32", "32", 32],
    ["odd", "32", 32],
  ]);
  const [, h2o, pyramid, odd] = results.configurations;
  deepEqual([h2o!.params, h2o!.budget!.held_entries], [{ start_size: 0, heavy_size: 21, recent_size: 21 }, 42]);
  ok(pyramid!.budget!.held_entries > 31 && pyramid!.budget!.held_entries <= 32);
  equal(results.config.method, "h2o+pyramid_snapkv+tova");
  const lengths = { max_tokens: 100, prompt_tokens: 8, max_new_tokens: 2 };
  deepEqual(notesOf(h2o!, [], lengths).filter((note) => /holds/.test(note)), []);
  match(notesOf(odd!, [], lengths).join("; "), /holds 40 entries a layer at the end of the quality pass, not 32/);
  // That everything is held is noted already.
  const whole = { method: "tova", dropped: { quality: 0, speed: 0 } };
  const notes = notesOf({ ...whole, budget: { asked: "512", entries: 512, held_entries: 100 } }, [], lengths);
  deepEqual(notes.length, 1);
});

Deno.test("makePlan() refuses a share that cannot be held, before anything is measured", async () => {
  await rejects(
    makePlan({ ...small, configurations: [atBudget("tova", "20%")] }),
    /^InputError: Cannot run tova_20% with --budget 20%: the layers that are not compressed \(--skip_layers, 2 of 8\)/,
  );
});
