/** Valid models, changed at random: an accepted one must compute the right thing, any other gives an InputError. */
import { ok } from "node:assert/strict";
import { join } from "@std/path";
import fc from "fast-check";
import { InputError } from "../../lib/util/errors.ts";
import { type ModelFolder, openModelFolder } from "../../lib/model/folder/model_folder.ts";
import {
  configOf,
  farthest,
  logitsOf,
  neox,
  oldConfigOf,
  randomWeights,
  storedWeights,
  temporaryFolder,
  writeModel,
} from "./_models.ts";
import { safetensors, withHeader } from "./_safetensors.ts";
import { forward, gelu, geluTanh, type Neox, type Weights } from "../reference/neox.ts";

const model = neox({ layers: 1, hidden: 16, intermediate: 16, vocab: 16 });
const tensors = storedWeights(model, randomWeights(model));
const file = safetensors(tensors);
const headerLength = Number(new DataView(file.buffer).getBigUint64(0, true));
const header: Record<string, unknown> = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerLength)));
const data = file.subarray(8 + headerLength);
const ids = [3, 1, 4, 1, 5];

/** Opens a folder; if that is possible, its logits must be those of its weights. */
function holdsUp(folder: string): void {
  let opened: ModelFolder;
  try {
    opened = openModelFolder(folder);
  } catch (error) {
    ok(error instanceof InputError, `${(error as Error).stack}`);
    ok(error.message.includes(folder) && error.message.length < 1000, error.message);
    return;
  }
  const { spec } = opened;
  const { dim, frequencies: [first, second] } = spec.rope!;
  const expected = forward(
    {
      ...spec,
      rotary: dim,
      theta: second === undefined ? 1 : (second / first!) ** (-dim / 2),
      scale: 1 / first!,
      eps: spec.norm.eps,
      parallel: spec.residual === "parallel",
      attentionBias: spec.block(0).attention.out.bias !== undefined,
      tied: spec.head.weight === spec.embedding,
      activation: {
        gelu,
        gelu_tanh: geluTanh,
        relu: (x: number) => Math.max(x, 0),
        silu: (x: number) => x / (1 + Math.exp(-x)),
      }[spec.activation],
    } satisfies Neox,
    weightsOf(opened),
    ids,
  );
  const difference = farthest(logitsOf(opened, ids, [3, 1, 1], "explicit"), expected);
  const largest = Math.max(1, ...expected.map((row) => Math.max(...row.map(Math.abs))));
  ok(difference < 1e-3 * largest, `off by ${difference} of ${largest}`);
}

/** Reads float32 weights by the file's own header, as plainly as can be. */
function weightsOf({ path }: ModelFolder): Weights {
  const bytes = Deno.readFileSync(join(path, "model.safetensors"));
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const entries = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  return (name) => {
    const { dtype, data_offsets: [begin, end] } = entries[name];
    ok(dtype === "F32", dtype);
    return Float64Array.from(new Float32Array(bytes.slice(8 + length + begin, 8 + length + end).buffer));
  };
}

/** What a field may come to hold by mistake or malice. */
const nonsense: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(0, -1, 1, 2, 3, 4, 8, 15, 16, 17, 32, 0.5, 1e-300, 1e9, 2 ** 31, 2 ** 53, 1e300, -0),
  fc.constantFrom("", "16", "gelu", "relu", "linear", "yarn", "__proto__", "constructor", null, true, false),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.jsonValue({ maxDepth: 2 }),
);

const ROPE = ["rope_theta", "partial_rotary_factor", "rope_type", "type", "factor"];
const FIELDS = [
  ...new Set([configOf(model), oldConfigOf(model)].flatMap(Object.keys)),
  "partial_rotary_factor",
  "rope_theta",
];

Deno.test("a config.json changed at random is an InputError or a right answer", () => {
  const changes = fc.array(fc.tuple(fc.constantFrom(...FIELDS), nonsense), { maxLength: 2 });
  const inner = fc.array(fc.tuple(fc.constantFrom(...ROPE), nonsense), { maxLength: 2 });
  using folder = temporaryFolder();
  fc.assert(
    fc.property(fc.constantFrom(configOf(model), oldConfigOf(model)), changes, inner, (base, changes, inner) => {
      const config = { ...base, ...Object.fromEntries(changes) };
      const nested = "rope_parameters" in base ? "rope_parameters" : "rope_scaling";
      if (inner.length > 0) config[nested] = { ...base[nested] as object, ...Object.fromEntries(inner) };
      writeModel(folder.path, config, tensors);
      holdsUp(folder.path);
    }),
    { numRuns: 400 },
  );
});

Deno.test("a safetensors header changed at random is an InputError or a right answer", () => {
  const names = Object.keys(tensors);
  const offsets = names.flatMap((name) => (header[name] as { data_offsets: number[] }).data_offsets);
  const size = fc.oneof(
    fc.constantFrom(...offsets, 0, -1, 2 ** 40, 2 ** 53, 0.5),
    fc.integer({ min: 0, max: data.length + 8 }),
  );
  const change = fc.oneof(
    fc.record({ name: fc.constantFrom(...names), data_offsets: fc.tuple(size, size) }),
    fc.record({
      name: fc.constantFrom(...names),
      shape: fc.array(fc.constantFrom(0, 1, 2, 8, 16, 48, 256, -1, 2 ** 32), { maxLength: 3 }),
    }),
    fc.record({
      name: fc.constantFrom(...names),
      dtype: fc.constantFrom("F16", "I32", "BF16", "F64", "U32", "F8_E5M2", "__proto__", ""),
    }),
    fc.record({ name: fc.constantFrom(...names), like: fc.constantFrom(...names) }),
    fc.record({ name: fc.constantFrom(...names), swap: fc.constantFrom(...names) }),
    fc.record({ name: fc.constantFrom(...names, "__metadata__", "x"), entry: nonsense }),
  );
  using folder = temporaryFolder();
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 2 }), (changes) => {
      const changed: Record<string, unknown> = { ...header };
      for (const { name, ...how } of changes) {
        if ("entry" in how) changed[name] = how.entry;
        else if ("like" in how) changed[name] = changed[how.like];
        else if ("swap" in how) [changed[name], changed[how.swap]] = [changed[how.swap], changed[name]];
        else changed[name] = { ...changed[name] as object, ...how };
      }
      writeModel(folder.path, configOf(model), tensors);
      Deno.writeFileSync(join(folder.path, "model.safetensors"), withHeader(JSON.stringify(changed), [data]));
      holdsUp(folder.path);
    }),
    { numRuns: 300 },
  );
});

Deno.test("a safetensors file with bytes changed, gone or added is an InputError or a right answer", () => {
  const byte = fc.record({
    at: fc.nat(8 + headerLength - 1),
    value: fc.oneof(fc.nat(255), fc.constantFrom(0x22, 0x2c, 0x30, 0x39, 0x7b)),
  });
  const how = fc.record({
    bytes: fc.array(byte, { maxLength: 3 }),
    length: fc.oneof(fc.constant(file.length), fc.nat(file.length + 9)),
  });
  using folder = temporaryFolder();
  fc.assert(
    fc.property(how, ({ bytes, length }) => {
      const changed = new Uint8Array(length);
      changed.set(file.subarray(0, length));
      for (const { at, value } of bytes) changed[at] = value; // beyond the end: nothing
      writeModel(folder.path, configOf(model), tensors);
      Deno.writeFileSync(join(folder.path, "model.safetensors"), changed);
      holdsUp(folder.path);
    }),
    { numRuns: 300 },
  );
});
