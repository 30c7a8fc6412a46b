import { printable } from "../../util/printable.ts";
import { architectureOf } from "./config.ts";
import { failOf } from "./fail.ts";
import type { GgufHeader, GgufTensor } from "./header.ts";
import { type Change, FAMILY_NAMES, hfNames } from "./tensor_names.ts";

/** A tensor of the converted file. */
export interface PlannedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Type by safetensors' name: floats are kept as they are, the others become F32. */
  readonly type: "F32" | "F16" | "BF16";
  /** Where it lies in the GGUF file. */
  readonly source: GgufTensor;
  /** The first of its rows there. */
  readonly firstRow: number;
  readonly rows: number;
  /** Numbers of a row. */
  readonly columns: number;
  /** Rows of each head, which are put into another order; undefined if they stay. */
  readonly headRows?: number;
  /** Whether one is taken off each number. */
  readonly lessOne: boolean;
}

/** Tensors that other values of the file repeat. */
const REPEATED = new Set(["rope_freqs.weight"]);

/**
 * Plans the tensors of a Hugging Face checkpoint from those of a GGUF file.
 *
 * @param header The file's header.
 * @param config Its config.json.
 * @returns In the order in which they lie in the file.
 * @throws {InputError} If a tensor is not one of the family's, or does not fit the number of heads.
 */
export function planTensors(header: GgufHeader, config: Readonly<Record<string, unknown>>): PlannedTensor[] {
  const fail = failOf(header.file);
  const family = FAMILY_NAMES[architectureOf(header)]!;
  const heads = config.num_attention_heads as number, kvHeads = config.num_key_value_heads as number;
  const headDim = typeof config.head_dim === "number" ? config.head_dim : config.hidden_size as number / heads;
  const inOrder = [...header.tensors].sort(([, a], [, b]) => a.offset - b.offset);
  return inOrder.flatMap(([name, source]) => {
    if (REPEATED.has(name)) return [];
    const shown = `tensor "${printable(name, 100)}"`;
    const found = hfNames(family, name) ?? fail(`${shown} is not one of its architecture's, as far as known here`);
    const { rows, columns } = tableOf(source);
    const parts = found.change === "three" ? [heads * headDim, kvHeads * headDim, kvHeads * headDim] : [rows];
    if (parts.reduce((a, b) => a + b) !== rows) {
      fail(`${shown} has ${rows} rows, its heads of queries, keys and values ${parts.join(" + ")}`);
    }
    const headRows = headRowsOf(found.change, rows, heads, kvHeads);
    if (headRows !== undefined && (headRows % 2 || headRows < 1)) {
      fail(`${shown} has ${rows} rows, which its heads do not divide evenly`);
    }
    const lessOne = found.change === "less one";
    if (lessOne && source.type.name !== "F32") fail(`${shown} is ${source.type.name}; norms are read as F32 only`);
    return parts.map((count, i): PlannedTensor => ({
      name: found.names[i]!,
      shape: found.change === "three" ? [count, ...source.shape.slice(1)] : source.shape,
      type: source.type.block ? "F32" : source.type.name as "F32" | "F16" | "BF16",
      source,
      firstRow: parts.slice(0, i).reduce((a, b) => a + b, 0),
      rows: count,
      columns,
      ...(headRows === undefined ? {} : { headRows }),
      lessOne,
    }));
  });
}

/** A vector is a column, except if it is stored in blocks. */
function tableOf({ shape, type }: GgufTensor): { readonly rows: number; readonly columns: number } {
  if (shape.length < 2 && !type.block) return { rows: shape[0] ?? 1, columns: 1 };
  const columns = shape.at(-1) ?? 1;
  return { rows: shape.slice(0, -1).reduce((a, b) => a * b, 1), columns };
}

function headRowsOf(change: Change, rows: number, heads: number, kvHeads: number): number | undefined {
  if (change === "query rows") return rows / heads;
  return change === "key rows" ? rows / kvHeads : undefined;
}
