import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { join } from "@std/path";
import { InputError } from "../../lib/util/errors.ts";
import { readSafetensorsHeader } from "../../lib/model/folder/safetensors.ts";
import { temporaryFolder } from "./_models.ts";
import { safetensors, type Stored, withHeader } from "./_safetensors.ts";

const tensor = (dtype: string, shape: number[], bytes: number): Stored => ({
  dtype,
  shape,
  data: new Uint8Array(bytes),
});
const a = tensor("F32", [2, 3], 24);
const b = tensor("F16", [5], 10);

/** Reads a file of these bytes. */
function read(bytes: Uint8Array): ReturnType<typeof readSafetensorsHeader> {
  using folder = temporaryFolder();
  const file = join(folder.path, "model.safetensors");
  Deno.writeFileSync(file, bytes);
  return readSafetensorsHeader(file);
}

function fails(bytes: Uint8Array, message: RegExp): void {
  throws(() => read(bytes), (error: unknown) => {
    ok(error instanceof InputError, String(error));
    match(error.message, /^Cannot read .*model\.safetensors: /);
    match(error.message, message);
    ok(error.message.length < 500, error.message);
    return true;
  });
}

/** A file of 34 bytes of data under a given header. */
const headed = (header: unknown) => withHeader(JSON.stringify(header), [new Uint8Array(34)]);
const entryA = { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] };
const entryB = { dtype: "F16", shape: [5], data_offsets: [24, 34] };

Deno.test("readSafetensorsHeader() says where each tensor lies", () => {
  const bytes = safetensors({ a, b, scalar: tensor("F64", [], 8), empty: tensor("I64", [0, 7], 0) });
  const tensors = read(bytes);
  const start = bytes.length - 42;
  deepEqual([...tensors.keys()], ["a", "b", "scalar", "empty"]);
  const { file: _, ...found } = tensors.get("b")!;
  deepEqual(found, { dtype: "float16", type: "F16", shape: [5], offset: start + 24, bytes: 10 });
  equal(tensors.get("empty")!.bytes, 0);
  deepEqual(tensors.get("scalar")!.shape, []);
});

Deno.test("readSafetensorsHeader() keeps types it does not know, and any names", () => {
  const names = ["", "__proto__", "constructor", 'a: b, "c" \\ { [ é 🦕', "x".repeat(1000)];
  const header = JSON.stringify(
    Object.fromEntries(names.map((_, i) => [`name${i}`, { dtype: "F8_E4M3", shape: [1], data_offsets: [i, i + 1] }])),
  );
  const named = names.reduce((text, name, i) => text.replace(`"name${i}"`, () => JSON.stringify(name)), header);
  const tensors = read(withHeader(named, [new Uint8Array(5)]));
  deepEqual([...tensors.keys()], names);
  deepEqual([tensors.get("__proto__")!.dtype, tensors.get("__proto__")!.type], [undefined, "F8_E4M3"]);
  for (const dtype of ["__proto__", "constructor", "toString"]) {
    equal(read(headed({ a: { ...entryA, dtype }, b: entryB })).get("a")!.dtype, undefined);
  }
});

Deno.test("readSafetensorsHeader() takes tensors in any order, without metadata, and of none", () => {
  equal(read(headed({ b: entryB, a: entryA })).size, 2);
  equal(read(safetensors({})).size, 0);
  equal(read(withHeader("{}")).size, 0);
});

Deno.test("readSafetensorsHeader() says that a file is no safetensors file, or not all of it", () => {
  const bytes = safetensors({ a, b });
  fails(new Uint8Array(0), /it has 0 bytes, too few/);
  fails(bytes.slice(0, 7), /it has 7 bytes, too few/);
  fails(
    bytes.slice(0, 8),
    /its header claims \d+ bytes, the file has 8: it is truncated or not a safetensors file$/,
  );
  fails(bytes.slice(0, 50), /the file has 50: it is truncated/);
  fails(bytes.slice(0, -1), /tensor "b" ends at byte \d+, the file has \d+: it is truncated, download it again$/);
  fails(bytes.slice(0, -34), /tensor "a" ends at byte/);
  const more = new Uint8Array(bytes.length + 5);
  more.set(bytes);
  fails(more, /its last 5 bytes belong to no tensor$/);
  fails(
    new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"),
    /not a safetensors file$/,
  );
  fails(new Uint8Array(100), /its header is not JSON/);
  const huge = new Uint8Array(16).fill(0xff);
  fails(huge, /its header claims 18446744073709551615 bytes, the file has 16/);
});

Deno.test("readSafetensorsHeader() says what its header is, if not a description of tensors", () => {
  fails(withHeader(""), /its header is not JSON/);
  fails(withHeader("{"), /its header is not JSON/);
  fails(withHeader("\xff\xfe"), /its header is not JSON/);
  fails(withHeader("null"), /its header is null, not a JSON object/);
  fails(withHeader("[]"), /its header is \[\], not a JSON object/);
  fails(withHeader("[".repeat(50_000) + "]".repeat(50_000)), /its header is/);
  const odd: [unknown, RegExp][] = [
    [null, /tensor "a" has dtype nothing, not a type's name/],
    [[], /tensor "a" has dtype nothing/],
    [{ ...entryA, dtype: 1 }, /tensor "a" has dtype 1,/],
    [{ ...entryA, shape: undefined }, /tensor "a" has shape nothing, not a list of sizes/],
    [{ ...entryA, shape: [2, -3] }, /tensor "a" has shape \[2, -3\]/],
    [{ ...entryA, shape: [2, 1.5] }, /tensor "a" has shape \[2, 1.5\]/],
    [{ ...entryA, shape: [2, "3"] }, /tensor "a" has shape \[2, "3"\]/],
    [{ ...entryA, shape: [2, 2 ** 53] }, /tensor "a" has shape/],
    [{ ...entryA, shape: { length: 0 } }, /tensor "a" has shape an object with 1 field,/],
    [{ ...entryA, data_offsets: [0] }, /tensor "a" has data_offsets \[0\], not \[begin, end\] in bytes/],
    [{ ...entryA, data_offsets: [0, 12, 24] }, /tensor "a" has data_offsets \[0, 12, 24\]/],
    [{ ...entryA, data_offsets: [0, null] }, /tensor "a" has data_offsets/],
    [{ ...entryA, data_offsets: [-24, 0] }, /tensor "a" has data_offsets/],
  ];
  for (const [entry, message] of odd) fails(headed({ a: entry, b: entryB }), message);
});

Deno.test("readSafetensorsHeader() says which tensor does not fit its place", () => {
  const change = (entry: Partial<typeof entryA>, other: Partial<typeof entryB> = {}) =>
    headed({ a: { ...entryA, ...entry }, b: { ...entryB, ...other } });
  fails(change({ data_offsets: [24, 0] }), /tensor "a" ends at byte 0 of the data, before it begins at 24$/);
  fails(change({ data_offsets: [24, 48] }), /tensor "a" ends at byte \d+, the file has \d+: it is truncated/);
  fails(change({ data_offsets: [0, 2 ** 52] }), /tensor "a" ends at byte \d+, the file has \d+/);
  fails(change({ data_offsets: [0, 23] }), /tensor "a" is F32\[2,3\], 24 bytes, but has 23 in the file$/);
  fails(change({ shape: [2, 4] }), /tensor "a" is F32\[2,4\], 32 bytes, but has 24 in the file$/);
  fails(change({ shape: [2 ** 50, 2 ** 50] }), /tensor "a" is F32.* but has 24 in the file$/);
  fails(change({ dtype: "F64" }), /tensor "a" is F64\[2,3\], 48 bytes/);
  fails(
    change({}, { data_offsets: [14, 24] }),
    /tensor "b" begins at byte \d+, inside the one before it, which ends at \d+$/,
  );
  fails(
    change({}, { shape: [4], data_offsets: [26, 34] }),
    /bytes \d+ to \d+, before tensor "b", belong to no tensor$/,
  );
  fails(headed({ a: entryA }), /its last 10 bytes belong to no tensor$/);
  fails(
    headed({ a: entryA, b: entryB, c: { dtype: "X", shape: [], data_offsets: [3, 3] } }),
    /tensor "c" begins at|tensor "a" begins at/,
  );
});

Deno.test("readSafetensorsHeader() refuses a name that stands twice", () => {
  const twice = (one: unknown, two: unknown) =>
    withHeader(`{"a": ${JSON.stringify(one)}, "a": ${JSON.stringify(two)}, "b": ${JSON.stringify(entryB)}}`, [
      new Uint8Array(34),
    ]);
  fails(twice(entryA, entryA), /its header gives one name twice$/);
  fails(twice({ ...entryA, dtype: "I32" }, entryA), /its header gives one name twice$/);
  fails(
    withHeader(`{"a": {"dtype": "F32", "shape": [2, 3], "shape": [3, 2], "data_offsets": [0, 24]}}`, [
      new Uint8Array(24),
    ]),
    /its header gives one name twice$/,
  );
});

Deno.test("readSafetensorsHeader() says why a file cannot be opened", () => {
  using folder = temporaryFolder();
  const path = (name: string) => join(folder.path, name);
  const failsToOpen = (name: string, message: RegExp) =>
    throws(() => readSafetensorsHeader(path(name)), { name: "InputError", message });
  failsToOpen("missing", /missing: there is no such file$/);
  Deno.mkdirSync(path("folder"));
  failsToOpen("folder", /folder: it is a folder$/);
  Deno.symlinkSync("gone", path("link"));
  failsToOpen("link", /link: it is a link to gone, which does not exist; download it again$/);
});
