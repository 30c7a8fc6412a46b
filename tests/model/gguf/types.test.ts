/** Numbers of each quantized type against the Python package gguf, bit for bit. */
import { deepEqual, equal } from "node:assert/strict";
import { dequantize, GGUF_TYPES } from "../../../lib/model/gguf/types.ts";
import cases from "../../fixtures/gguf/dequantized.json" with { type: "json" };

const bytesOf = (text: string) => Uint8Array.fromBase64(text);

for (const [name, { type, blocks, numbers }] of Object.entries(cases)) {
  Deno.test(`${name} blocks give the reference's numbers, bit for bit`, () => {
    const found = GGUF_TYPES.get(type)!;
    equal(found.name, name);
    const got = dequantize(found, bytesOf(blocks));
    deepEqual(new Uint32Array(got.buffer), new Uint32Array(bytesOf(numbers).buffer));
  });
}

Deno.test("every quantized type is compared", () => {
  const quantized = [...GGUF_TYPES.values()].filter(({ block }) => block).map(({ name }) => name);
  deepEqual(quantized.sort(), Object.keys(cases).sort());
});
