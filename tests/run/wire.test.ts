import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { decode, encode } from "../../lib/process/wire.ts";

Deno.test("what goes over the wire arrives as it was, whatever numbers are in it", () => {
  const figure = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, 0, 1e308));
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      figure,
      fc.string(),
      fc.constantFrom(null, true, '{"$number":"NaN"}', "$number"),
      fc.array(tie("any"), { maxLength: 5 }),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie("any"), { maxKeys: 5 }),
    ),
  })).any;
  fc.assert(fc.property(value, (value) => {
    const line = encode(value);
    ok(!line.includes("\n"));
    JSON.parse(line); // it is JSON for readers that do not know the tags
    // JSON has only one zero.
    const oneZero = (each: unknown): unknown =>
      each === 0
        ? 0
        : Array.isArray(each)
        ? each.map(oneZero)
        : typeof each === "object" && each !== null
        ? Object.fromEntries(Object.entries(each).map(([key, inner]) => [key, oneZero(inner)]))
        : each;
    deepEqual(oneZero(decode(line)), oneZero(value));
  }));
});

Deno.test("a text that looks like a tag stays a text", () => {
  const message = 'Cannot read {"$number":"NaN"}';
  deepEqual(decode(encode({ message, nll: [NaN] })), { message, nll: [NaN] });
  deepEqual(decode(encode({ message })), { message });
});

Deno.test("anything that is not JSON is refused, because a library may print anything", () => {
  throws(() => decode("[W:onnxruntime] a warning"), SyntaxError);
  throws(() => decode('{"$number":'), SyntaxError);
});

Deno.test("what is finite is plain JSON, without a replacer's cost", () => {
  const event = { type: "sample", nll: [1.5, 0.25], note: "$number", kernels: undefined };
  equal(encode(event), JSON.stringify(event));
});
