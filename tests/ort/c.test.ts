import { deepEqual, equal } from "node:assert/strict";
import { cString, cStrings, outPointer, pointerAt, stringAt, stringsAt } from "../../lib/ort/_c.ts";

Deno.test("cStrings() makes a char** that C code reads as the same strings", () => {
  for (const texts of [[], [""], ["device_id", "0"], ["é 東京", "", "x".repeat(300)]]) {
    deepEqual(stringsAt(Deno.UnsafePointer.of(cStrings(texts)), texts.length), texts);
  }
});

Deno.test("cString() ends in zero, and null pointers read as nothing", () => {
  deepEqual([...cString("é")], [0xc3, 0xa9, 0]);
  equal(pointerAt(outPointer()), null);
  equal(stringAt(null), "");
  deepEqual(stringsAt(null, 3), []);
});
