import { InputBlock } from "./input_block.ts";
import type { FormName, LoadedModel } from "./loaded_model.ts";

/** See {@linkcode passBlock}. */
export type PassBlock = ReturnType<typeof passBlock>;

/** Makes a block of everything that changes from pass to pass: the results, then the inputs. */
export function passBlock(
  { runtime: { ort, device }, eviction }: LoadedModel,
  form: FormName,
  groups: number,
  tokens: number,
  positioned: boolean,
) {
  type Fields = Record<`past.${number}`, readonly ["int64", readonly number[]]> & {
    nll: readonly ["float32", readonly number[]];
    argmax: readonly ["int64", readonly number[]];
    input_ids: readonly ["int64", readonly number[]];
    position_ids: readonly ["int64", readonly number[]];
    target: readonly ["int64", readonly number[]];
    draw: readonly ["int64", readonly number[]];
    ring_indices: readonly ["int64", readonly number[]];
    drop_ranges: readonly ["float32", readonly number[]];
    text_index: readonly ["float32", readonly number[]];
  } & Record<`last_slot.${number}`, readonly ["int32", readonly number[]]>;
  const { acting, kept, isRandom } = eviction;
  const fields: Record<string, readonly ["int64" | "int32" | "float32", readonly number[]]> = {
    nll: ["float32", [1]],
    // The argmax of a step is the next step's token, in the same place.
    ...(tokens > 1 ? { argmax: ["int64", [1]] as const } : {}),
    input_ids: ["int64", [tokens]],
    target: ["int64", [1]],
  };
  if (positioned) fields.position_ids = ["int64", [1, tokens]];
  for (let group = 0; group < groups; group++) {
    if (form === "fused") fields[`last_slot.${group}`] = ["int32", [1]];
    else if (form !== "export") fields[`past.${group}`] = ["int64", [1]];
  }
  if (acting.length > 0) {
    fields.drop_ranges = ["float32", [4, acting.length]];
    if (isRandom) fields.draw = ["int64", [1]];
    if (kept.textPositions) fields.text_index = ["float32", [1]];
    if (kept.attention?.from === "last") fields.ring_indices = ["int64", [Math.min(kept.attention.window, tokens)]];
  }
  return new InputBlock(ort, device, fields as Fields);
}
