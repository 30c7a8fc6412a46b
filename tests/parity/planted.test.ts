/** The judge itself: faults that are planted in kernels, operators and models fail, and what is right passes. */
import { equal, match, ok } from "node:assert/strict";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import type { ChooseArguments, DropArguments } from "../../lib/kernels/structs.ts";
import type { Policy } from "../../lib/policies/policy.ts";
import { methods } from "../../lib/policies/registry.ts";
import { ReferenceKernels } from "../reference/step.ts";
import { embeddedModel, goldenTokens } from "./golden.ts";
import { checked, Judge, nllOf } from "./judge.ts";
import { type Reading, run, type RunResult } from "./reading.ts";

const runtime = openRuntime("cpu");
const model = embeddedModel();
/** 48 rows: six layers of eight heads. */
const reading = (policy: Policy, positions: Reading["positions"] = "absolute"): Reading => ({
  ...{ model, policy, positions, skip: [0, 1], prompts: [20] },
  ids: goldenTokens.slice(0, 32),
});

const METHODS = {
  h2o_l2: methods.h2o_l2({ start_size: 2, heavy_hitter_size: 6, recent_size: 8 }),
  h2o: methods.h2o({ heavy_size: 8, recent_size: 8 }),
  keydiff: methods.keydiff({ cache_size: 16, recent_size: 4 }),
  snapkv: methods.snapkv({ cache_size: 16, observation_window: 4 }),
  random: methods.fix_size_l2({ fix_kv_size: 16, keep_ratio: 0.5, strategy: "random" }),
  streaming_llm: methods.streaming_llm({ start_size: 2, recent_size: 14 }),
} satisfies Record<string, Policy>;
const judges = new Map(Object.entries(METHODS).map(([name, policy]) => [name, new Judge(reading(policy))]));

const form = { dtype: "float32", attention: "explicit" } as const;
const withKernels = (policy: Policy, kernels: ReferenceKernels) =>
  run(runtime, reading(policy), { ...form, kernels: () => kernels });
const verdictOf = (judge: Judge, result: RunResult) => checked(judge.judge(result, "float32"), judge.reading, 1e-4);

/** Changes the range that a layer drops from. */
class OtherRange extends ReferenceKernels {
  constructor(readonly field: 1 | 2, readonly by: number) {
    super();
  }
  override drop(a: DropArguments): void {
    const ranges = new Float32Array(Deno.UnsafePointerView.getArrayBuffer(a.dropRanges!, 16 * a.layers)).slice();
    // Where a layer drops nothing, its middle is its newest entry.
    if (ranges[a.layers]! < ranges[0]!) ranges[this.field * a.layers]! += this.by;
    super.drop({ ...a, dropRanges: Deno.UnsafePointer.of(ranges) });
  }
}

/** Scores of rows 5, 17, 29 and 41 changed. */
class OtherScores extends ReferenceKernels {
  constructor(readonly change: (scores: number[]) => number[]) {
    super();
  }
  protected override scored(row: number, scores: number[]): number[] {
    return row % 12 === 5 ? this.change(scores) : scores;
  }
}

/** The NLL of the token before the target. */
class OtherTarget extends ReferenceKernels {
  override choose(a: ChooseArguments | Omit<ChooseArguments, "partial" | "counter">): void {
    const target = BigInt64Array.of(new BigInt64Array(Deno.UnsafePointerView.getArrayBuffer(a.target!, 8))[0]! - 1n);
    super.choose({ ...a, target: Deno.UnsafePointer.of(target) });
  }
}

for (const [name, policy] of Object.entries(METHODS)) {
  Deno.test(`${name}: kernels and operators without a fault pass, and something was dropped`, () => {
    const judge = judges.get(name)!;
    for (const kernels of ["ort", () => new ReferenceKernels()] as const) {
      const { verdict, text } = verdictOf(judge, run(runtime, reading(policy), { ...form, kernels }));
      equal(verdict, "passed", text);
      ok(judge.judge(run(runtime, reading(policy), { ...form, kernels }), "float32").choices >= 48);
    }
  });
}

const negated = (scores: number[]) => scores.map((x) => -x);
const late = (scores: number[]) => [...scores.slice(1), 0];
const FAULTS: readonly (readonly [string, keyof typeof METHODS, () => ReferenceKernels, RegExp])[] = [
  ...(["h2o_l2", "h2o", "keydiff", "snapkv", "random"] as const).map((name) =>
    [
      "negated scores in 4 of 48 rows",
      name,
      () => new OtherScores(negated),
      /: layer \d, head 5|: layer \d, head 1/,
    ] as const
  ),
  ["scores of the next entry in 4 of 48 rows", "h2o", () => new OtherScores(late), /rounding explains/],
  ["a window shorter by one in one layer", "h2o_l2", () => new OtherRange(2, 1), /no matter of choice|rounding/],
  ["a window longer by one in one layer", "h2o_l2", () => new OtherRange(2, -1), /rounding explains/],
  ["a sink more in one layer", "h2o_l2", () => new OtherRange(1, 1), /rounding explains/],
  ["a sink less in one layer", "streaming_llm", () => new OtherRange(1, -1), /no matter of choice/],
  ["the NLL of another token", "streaming_llm", () => new OtherTarget(), /worst NLL off/],
];

for (const [fault, name, kernels, told] of FAULTS) {
  Deno.test(`${name} with ${fault} fails, and says where`, () => {
    const { verdict, text } = verdictOf(judges.get(name)!, withKernels(METHODS[name], kernels()));
    equal(verdict, "failed", text);
    match(text, told);
  });
}

Deno.test("a choice that differs is told by method, layer, head, step, entries and scores", () => {
  const { text } = verdictOf(judges.get("h2o_l2")!, withKernels(METHODS.h2o_l2, new OtherScores(negated)));
  const number = String.raw`-?\d+\.?\d*(e[+-]\d+)?`;
  match(
    text,
    new RegExp(
      String.raw`^h2o_l2: layer \d, head \d, after 2\d tokens: entry \d+ is kept with a score of ${number} ` +
        String.raw`and entry \d+ is not, with ${number}; rounding explains ${number}$`,
    ),
  );
});

Deno.test("operators that run another policy, or number tokens otherwise, fail", () => {
  const judge = judges.get("h2o_l2")!;
  const others: Record<string, Partial<Reading>> = {
    "one heavy entry more": { policy: methods.h2o_l2({ start_size: 2, heavy_hitter_size: 7, recent_size: 8 }) },
    "a sink for a recent entry": { policy: methods.h2o_l2({ start_size: 3, heavy_hitter_size: 6, recent_size: 7 }) },
    "highest norms": { policy: methods.fix_size_l2({ fix_kv_size: 16, keep_ratio: 0.5, strategy: "keep_high" }) },
    "positions in the cache": { positions: "cache" },
    "a layer not skipped": { skip: [0] },
    "the next text": { ids: goldenTokens.slice(1, 33) },
    "frequencies 5 % higher": {
      model: {
        ...model,
        spec: {
          ...model.spec,
          rope: { ...model.spec.rope!, frequencies: model.spec.rope!.frequencies.map((f) => 1.05 * f) },
        },
      },
    },
    "another eps": { model: { ...model, spec: { ...model.spec, norm: { ...model.spec.norm, eps: 1e-3 } } } },
  };
  for (const [name, other] of Object.entries(others)) {
    const result = run(runtime, { ...judge.reading, ...other }, { ...form, kernels: "ort" });
    const { verdict, text } = verdictOf(judge, result);
    equal(verdict, "failed", `${name}: ${text}`);
  }
});

Deno.test("a tie is forced upon the reference, and everything after it is compared", () => {
  const judge = judges.get("h2o_l2")!;
  const right = run(runtime, judge.reading, { ...form, kernels: "ort" });
  // Another entry dropped in one row, and everything after it as it was: the choices after it are compared and differ.
  const changed = right.held.map((layers, pass) =>
    pass < 4 ? layers : layers.map((heads, layer) =>
      layer !== 4 ? heads : heads.map((row, head) => {
        if (head !== 3) return row;
        const other = [...Array(row[2]).keys()].find((index) =>
          !row.includes(index) && right.held[3]![4]![3]!.includes(index)
        );
        return other === undefined ? row : Int32Array.from([...row.slice(0, 2), other, ...row.slice(3)]).sort();
      })
    )
  );
  const { fault } = judge.judge({ ...right, held: changed }, "float32");
  match(fault!, /layer 4, head 3, after \d+ tokens/);
  // Rounding of a type whose numbers are far apart explains more choices than that of one whose numbers are near.
  const { ties, furthest } = judge.judge({ ...right, held: changed }, "bfloat16");
  const near = judge.judge({ ...right, held: changed }, "float32").furthest;
  ok(ties > 0 && furthest < near / 1000);
});

Deno.test("NLL is compared to the last pass, and NaN is never within a limit", () => {
  const judge = judges.get("streaming_llm")!;
  const right = run(runtime, judge.reading, { ...form, kernels: "ort" });
  for (const wrong of [1, NaN, Infinity]) {
    for (const pass of [0, right.nll.length - 1]) {
      const nll = right.nll.map((x, i) => i === pass ? x + wrong : x);
      equal(verdictOf(judge, { ...right, nll }).verdict, "failed");
      equal(judge.judge({ ...right, nll }, "float32").worstPass, pass);
    }
  }
  ok(Math.abs(nllOf([0, Math.log(3)], 0) - Math.log(4)) < 1e-12);
});

Deno.test("a run that drops nothing, or has no passes, is empty and not passed", () => {
  const judge = new Judge(reading(methods.streaming_llm({ start_size: 4, recent_size: 60 })));
  equal(verdictOf(judge, run(runtime, judge.reading, { ...form, kernels: "ort" })).verdict, "empty");
  equal(checked({ worst: 0, worstPass: -1, choices: 0, ties: 0, furthest: 0 }, judge.reading, 1).verdict, "empty");
});
