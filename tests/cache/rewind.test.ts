import { deepEqual, throws } from "node:assert/strict";
import { tabulate } from "../../lib/cache/schedule.ts";
import { Engine } from "../../lib/engine/engine.ts";
import { POSITIONS } from "../../lib/engine/numbering.ts";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import { methods } from "../../lib/policies/registry.ts";
import { embeddedModel, goldenTokens } from "../parity/golden.ts";

const model = embeddedModel();
const runtime = openRuntime("cpu");
const passGroups = [{ tokens: 8, times: 1 }, { tokens: 4, times: 2 }, { tokens: 1, times: 12 }];

function engineOf(policy = methods.baseline(), positions: typeof POSITIONS[number] = "absolute") {
  return new Engine(runtime, model, {
    dtype: "float32",
    attention: positions === "cache" ? "explicit" : "fused",
    positions,
    maxPositions: 40,
    table: tabulate(policy, model.spec, [], [passGroups]),
    score: policy.score,
  });
}

for (const positions of POSITIONS) {
  Deno.test(`a sequence that went back reads on as if it had not gone astray, by ${positions} positions`, () => {
    using engine = engineOf(undefined, positions);
    const read = (astray: number) => {
      using sequence = engine.sequence(passGroups, 0);
      const pass = (from: number, to: number, tokens = goldenTokens) => {
        sequence.forward(tokens.slice(from, to), tokens[to]!);
        sequence.evict();
        return sequence.read();
      };
      pass(0, 8);
      if (astray > 0) {
        // Other tokens, in one pass and in steps.
        const other = goldenTokens.slice(100);
        if (astray >= 4) pass(0, 4, other);
        for (let i = 0; i < astray % 4; i++) pass(i, i + 1, other);
        sequence.rewind(astray);
      }
      return [pass(8, 12), pass(12, 13), pass(13, 14)];
    };
    for (const astray of [1, 3, 4, 6]) deepEqual(read(astray), read(0), `${astray} tokens`);
  });
}

Deno.test("a sequence does not go back beyond what was evicted", () => {
  using engine = engineOf(methods.streaming_llm({ start_size: 2, recent_size: 8 }));
  using sequence = engine.sequence(passGroups, 0);
  sequence.forward(goldenTokens.slice(0, 8), goldenTokens[8]!);
  sequence.evict();
  sequence.forward(goldenTokens.slice(8, 9), goldenTokens[9]!);
  sequence.evict();
  sequence.rewind(2); // nothing is evicted yet
  for (let i = 7; i < 12; i++) {
    sequence.forward([goldenTokens[i]!], goldenTokens[i + 1]!);
    sequence.evict();
  }
  throws(() => sequence.rewind(1), {
    name: "RangeError",
    message: /^Cannot take 1 tokens back: layer 0 can give back 0$/,
  });
  throws(() => sequence.rewind(20), RangeError);
});
