import { type JsonReader, list, number, object, optional, string } from "../../report/results/json_reader.ts";
import { InputError } from "../../util/errors.ts";

/** How often a configuration found a needle at one place of a text of one length. */
export interface NeedleCell {
  /** Name of the configuration. */
  configuration: string;
  /** Length of the text, tokens. */
  tokens: number;
  /** Place of the needle, 0 (begin) to 1 (end). */
  depth: number;
  /** Share of answers that were right, 0..1. */
  score: number;
  /** Number of answers. */
  n?: number;
}

const needleCells: JsonReader<{ needles?: NeedleCell[] }> = object<{ needles?: NeedleCell[] }>({
  needles: optional(list(object<NeedleCell>({
    configuration: string,
    tokens: number,
    depth: number,
    score: number,
    n: optional(number),
  }))),
});

/**
 * Reads the optional field `needles` of results.json.
 *
 * @param results A run's results; the reader of results keeps fields that it does not know.
 * @param file Its path, for the message.
 * @returns Empty where results have no such field.
 * @throws {InputError} If the field is there, but of another shape.
 *
 * @example
 * ```ts
 * import { readNeedles } from "./needles.ts";
 *
 * const needles = [{ configuration: "baseline", tokens: 1000, depth: 0.5, score: 1 }];
 * console.log(readNeedles({ needles }, "results.json").length, readNeedles({}, "results.json").length); // 1 0
 * ```
 */
export function readNeedles(results: object, file: string): NeedleCell[] {
  try {
    return needleCells(results, "").needles ?? [];
  } catch (cause) {
    throw new InputError(`Cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}
