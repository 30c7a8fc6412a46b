import assert from "node:assert/strict";
import fc from "fast-check";
import { formatJson } from "../../lib/report/results/json.ts";

Deno.test("formatJson() says the same as JSON.stringify()", () => {
  fc.assert(fc.property(fc.object({ maxDepth: 4, withNullPrototype: false }), (value) => {
    assert.deepEqual(JSON.parse(formatJson(value)), JSON.parse(JSON.stringify(value)));
  }));
});

Deno.test("formatJson() puts a long list on one line, lists of objects on lines of their own", () => {
  const steps = Array.from({ length: 10_000 }, (_, i) => i / 7);
  const text = formatJson({ raw_results: [{ step_times_s: steps, nll: [NaN] }], failures: [], model: {} });
  assert.equal(text.split("\n").length, 10);
  assert.match(text, /^\{\n {2}"raw_results": \[\n {4}\{\n {6}"step_times_s": \[0, 0\.14285714285714285, /);
  assert.match(text, /\n {6}"nll": \[null\]\n {4}\}\n {2}\],\n {2}"failures": \[\],\n {2}"model": \{\}\n\}$/);
});
