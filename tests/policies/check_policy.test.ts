import assert from "node:assert/strict";
import { InputError } from "../../lib/util/errors.ts";
import { checkPolicy } from "../../lib/policies/check_policy.ts";
import type { LayerState, Policy, Sizes } from "../../lib/policies/policy.ts";
import { attention, avgPool, constant, keyNorm, mul, neg } from "../../lib/policies/score.ts";

const policy = (keep: (state: LayerState) => Sizes | "all", rest: Partial<Policy> = {}): Policy => ({
  method: "mine",
  params: {},
  keep,
  ...rest,
});
const refuses = (policy: Policy, pattern: RegExp) =>
  assert.throws(() => checkPolicy(policy, { layers: 3, maxEntries: 2000 }), (error: Error) => {
    assert(error instanceof InputError);
    assert.match(error.message, pattern);
    assert.match(error.message, /^Cannot run mine: /);
    return true;
  });
/** Wrong in one place only: layer 2 with 1731 entries. */
const late = (sizes: Sizes) =>
  policy(({ layer, entries }) => layer === 2 && entries === 1731 ? sizes : "all", { score: neg(keyNorm) });

Deno.test("checkPolicy() names layer and count of impossible sizes", () => {
  refuses(late({ sink: -1, heavy: 0, recent: 4 }), /layer 2 with 1731 entries it keeps -1 as sink/);
  refuses(late({ sink: 0, heavy: 0.5, recent: 4 }), /layer 2 with 1731 entries it keeps 0.5 as heavy/);
  refuses(late({ sink: 0, heavy: 0, recent: NaN }), /it keeps NaN as recent/);
  refuses(late({ sink: 0, heavy: 0, recent: Infinity }), /it keeps Infinity as recent/);
  refuses(late({ sink: 4, heavy: 4, recent: 1724 }), /it keeps 1732 \(4 \+ 4 \+ 1724\), more than are held/);
  refuses(late({ sink: 0, heavy: 0, recent: 0 }), /it keeps none/);
  refuses(late({ sink: 1, recent: 1 } as Sizes), /it keeps undefined as heavy/);
  refuses(late(undefined as unknown as Sizes), /it answers undefined/);
  checkPolicy(late({ sink: 4, heavy: 4, recent: 1723 }), { layers: 3, maxEntries: 2000 });
  checkPolicy(late({ sink: -1, heavy: 0, recent: 4 }), { layers: 3, maxEntries: 1730 });
});

Deno.test("checkPolicy() wants a score where entries are kept by it", () => {
  refuses(
    policy(({ entries }) => entries > 8 ? { sink: 0, heavy: 8, recent: 0 } : "all"),
    /layer 0 with 9 .* no score/,
  );
});

Deno.test("checkPolicy() wants attention where the score reads it", () => {
  const keep = () => "all" as const;
  refuses(policy(keep, { score: mul(keyNorm, attention) }), /its score reads attention/);
  checkPolicy(policy(keep, { score: attention, attention: { from: "all", accumulate: true } }), {
    layers: 1,
    maxEntries: 1,
  });
});

Deno.test("checkPolicy() refuses scores that are no numbers", () => {
  const keep = () => "all" as const;
  refuses(policy(keep, { score: mul(keyNorm, constant(NaN)) }), /the constant NaN/);
  refuses(policy(keep, { score: avgPool(4, keyNorm) }), /pools over 4 neighbours/);
});
