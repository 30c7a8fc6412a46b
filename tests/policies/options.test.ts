import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { InputError } from "../../lib/util/errors.ts";
import { definePolicy } from "../../lib/policies/policy.ts";
import { methodNames, methods } from "../../lib/policies/registry.ts";
import { attention } from "../../lib/policies/score.ts";

type Loose = (params?: unknown) => ReturnType<typeof methods.tova>;
const loose = methods as unknown as Record<string, Loose & { readonly defaults: Record<string, number | string> }>;

function refuses(make: () => unknown, message: RegExp): void {
  throws(make, (error) => {
    ok(error instanceof InputError, `${error}`);
    match(error.message, message);
    return true;
  });
}

Deno.test("every method refuses a parameter that it does not have, and one of another type", () => {
  for (const name of methodNames) {
    const make = loose[name]!;
    refuses(
      () => make({ cache_sizez: 64 }),
      new RegExp(`^Cannot use option "cache_sizez" of ${name}: there is no such`),
    );
    refuses(() => make(64), new RegExp(`^Cannot use the options of ${name}: found 64, an object is needed$`));
    for (const [param, value] of Object.entries(make.defaults)) {
      const wrong = typeof value === "number" ? ["64", NaN, Infinity, null] : [64, null];
      for (const other of wrong) {
        refuses(() => make({ [param]: other }), new RegExp(`^Cannot use option "${param}" of ${name}`));
      }
      if (param.endsWith("_size") || param.endsWith("_window") || param.endsWith("_limit")) {
        for (const other of [-1, 1.5]) refuses(() => make({ [param]: other }), /an integer of at least 0 is needed$/);
      }
      deepEqual(make({ [param]: undefined }).params, make.defaults, "what is undefined is left out");
      deepEqual(make({ [param]: value }).params, make.defaults);
    }
  }
  refuses(() => loose["tova"]!({ cache_sizes: 64 }), /; did you mean cache_size\?$/);
  for (const ratio of [0, -0.5, 1.5]) refuses(() => methods.l2_compress({ keep_ratio: ratio }), /over 0 and up to 1/);
  for (const ratio of [-0.5, 1.5]) refuses(() => methods.fix_size_l2({ keep_ratio: ratio }), /a number from 0 to 1/);
});

Deno.test("a custom policy refuses parameters in the same way", () => {
  const keep = () => () => "all" as const;
  const make = definePolicy({ name: "mine", params: { size: 4, shape: "flat" }, keep });
  refuses(() => make({ sizes: 8 } as object), /^Cannot use option "sizes" of mine: .* did you mean size\?$/);
  refuses(() => make({ size: "8" as unknown as number }), /found "8", a finite number is needed$/);
  refuses(() => make({ shape: 8 as unknown as string }), /found 8, a text is needed$/);
  equal(make({ size: -0.5 }).params.size, -0.5); // its meaning is up to the method
  const even = { needed: "an even number", fits: (value: number) => value % 2 === 0 };
  const halves = definePolicy({ name: "halves", params: { size: 4 }, keep }, { size: even });
  refuses(() => halves({ size: 5 }), /^Cannot use option "size" of halves: found 5, an even number is needed$/);
});

Deno.test("definePolicy() refuses fields that a definition does not have, and wrong ones", () => {
  const right = { name: "mine", params: { size: 4 }, keep: () => () => "all" as const };
  const define = definePolicy as unknown as (definition: unknown) => unknown;
  define(right);
  refuses(() => define({ ...right, scores: () => attention }), /"scores" of definePolicy: .* did you mean score\?$/);
  refuses(
    () => define({ ...right, name: "" }),
    /^Cannot use option "name" of definePolicy: found "", a name is needed$/,
  );
  refuses(() => define({ ...right, keep: "all" }), /found "all", a function is needed$/);
  refuses(() => define({ name: "mine", params: {} }), /keep is missing/);
  refuses(() => define({ ...right, params: { size: null } }), /^Cannot use the default of "size" of mine: found null/);
  refuses(() => define({ ...right, params: { size: NaN } }), /found NaN, a finite number or a text is needed$/);
  refuses(() => define(undefined), /^Cannot use the options of definePolicy: found undefined/);
});

Deno.test("every field of a policy's attention is checked", () => {
  const make = (use: unknown) =>
    definePolicy({
      name: "mine",
      params: {},
      keep: () => () => "all",
      score: () => attention,
      attention: () => use as { from: "last"; window: 1 },
    })();
  for (
    const use of [{ from: "all", accumulate: true }, { from: "last", window: 3 }, {
      from: "last",
      window: 1,
      share: "layer",
    }]
  ) {
    make(use);
  }
  throws(
    () => make({ from: "last", window: 3, shared: "layer" }),
    /has "shared", which is not read; did you mean share\?/,
  );
  throws(() => make({ from: "last", window: 3, share: "layers" }), /share "layers"; give "layer"/);
  throws(() => make({ from: "all", accumulate: true, share: "layer" }), /share "layer"/);
  throws(() => make({ from: "all" }), /accumulate undefined; give true/);
  throws(() => make({ from: "last", window: 3, accumulate: true }), /accumulate true; give true, with from: "all"/);
  throws(() => make({ from: "all", accumulate: true, window: 3 }), /from "all", and has window 3/);
});
