/** What transformers gave for the tiny models of fixtures/tiny. */
import { existsSync } from "node:fs";
import type { ModelFolder } from "../../lib/model/folder/model_folder.ts";

/** Folder of the models' folders. */
export const TINY = new URL("../fixtures/tiny/", import.meta.url);
/** Folders whose reference had rotary frequencies of the stored type. */
export const CONVERTED = ["llama-gqa", "qwen2"];

/** The reference's results for a folder's tokens. */
export interface Golden {
  readonly ids: number[];
  readonly nll: number[];
  readonly argmax: number[];
  /** Tokens of each pass, and the logits. */
  readonly runs: Readonly<Record<string, readonly [passes: readonly number[], logits: readonly Float32Array[]]>>;
}

/** Reads what the reference gave for a folder's model. */
export function goldenOf(name: string): Golden {
  const { input_ids: ids, mixed = [20, 1, 1, 9, 17], logits_shape: [rows, vocab], nll, argmax } = JSON.parse(
    Deno.readTextFileSync(new URL(`${name}/golden.json`, TINY)),
  );
  // If numbers depend on the passes, there is a file for each way of cutting them.
  const logitsOf = (how: string) => {
    const own = new URL(`${name}/golden_logits_${how}.f32`, TINY);
    const file = existsSync(own) ? own : new URL(`${name}/golden_logits.f32`, TINY);
    const numbers = new Float32Array(Deno.readFileSync(file).buffer);
    return Array.from({ length: rows }, (_, i) => numbers.subarray(i * vocab, (i + 1) * vocab));
  };
  const passes = { prefill: [rows], stepwise: new Array<number>(rows).fill(1), mixed };
  const runs = Object.entries(passes).map(([how, passes]) => [how, [passes, logitsOf(how)] as const]);
  return { ids, nll, argmax, runs: Object.fromEntries(runs) };
}

/** The largest of all logits, by size. */
export const most = (rows: readonly Float32Array[]) => Math.max(...rows.map((row) => Math.max(...row.map(Math.abs))));

/**
 * Returns a model as the reference had it: some were converted to the stored type and back, and their table of rotary
 * frequencies too. Loading such weights gives float32's frequencies; the difference is measured below.
 */
export function asReference(model: ModelFolder, name: string): ModelFolder {
  const { spec, tensors } = model;
  if (!spec.rope || !CONVERTED.includes(name)) return model;
  const { dtype } = [...tensors.values()][0]!;
  const frequencies = spec.rope.frequencies.map((f) =>
    dtype === "float16" ? Math.f16round(f) : dtype === "bfloat16" ? bfloat16(f) : f
  );
  return { ...model, spec: { ...spec, rope: { ...spec.rope, frequencies } } };
}

/** Rounds to the nearest, ties to even. */
function bfloat16(x: number): number {
  const bits = new Uint32Array(Float32Array.of(x).buffer);
  bits[0] = (bits[0]! + 0x7fff + (bits[0]! >>> 16 & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0]!;
}
