import { isThere } from "../../model/folder/files.ts";
import { fromUserFolder } from "../../process/user_folder.ts";
import { InputError } from "../../util/errors.ts";

/** Kinds of prompts: a text to go on with; a passage that begins again; a question that is answered by quoting. */
export const WORKLOADS = ["text", "repeat", "qa"] as const;

/** What prompts are. */
export type Workload = typeof WORKLOADS[number];

/** Asks for a quotation, whose first words follow. */
export const QUESTION = "\n\nQuestion: What does the text say? Quote it.\n\nAnswer: The text says: ";

/** Tokens of the quotation that the prompt holds. */
const QUOTED = 8;
/** Share of a prompt that is the passage, where it begins again. */
const PASSAGE = 2 / 3;

/**
 * Reads `--workload`: a kind, or the file that the prompts are from.
 *
 * @example
 * ```ts
 * import { readWorkload } from "./workload.ts";
 *
 * console.log(readWorkload("repeat")); // { workload: "repeat", file: undefined }
 * ```
 *
 * @param text As on the command line.
 * @returns The kind, and the file.
 * @throws {InputError} If it is neither.
 */
export function readWorkload(text: string): { readonly workload: Workload; readonly file: string | undefined } {
  const workload = WORKLOADS.find((name) => name === text);
  if (workload !== undefined) return { workload, file: undefined };
  const file = fromUserFolder(text);
  if (isThere(file)) return { workload: "text", file };
  throw new InputError(
    `Cannot read --workload: found ${JSON.stringify(text)}, give one of ${WORKLOADS.join(", ")}, or a file of text`,
  );
}

/**
 * Makes a prompt.
 *
 * @example
 * ```ts
 * import { promptOf } from "./workload.ts";
 *
 * console.log(promptOf("repeat", [1, 2, 3, 4, 5, 6], 6, [])); // [ 1, 2, 3, 4, 1, 2 ]
 * ```
 *
 * @param workload What it is.
 * @param sample Token ids of a text, at least `length`.
 * @param length Tokens of the prompt.
 * @param question Token ids of {@linkcode QUESTION}.
 * @returns As many ids.
 * @throws {InputError} If the question leaves no room for the passage.
 */
export function promptOf(
  workload: Workload,
  sample: readonly number[],
  length: number,
  question: readonly number[],
): number[] {
  if (workload === "text") return sample.slice(0, length);
  if (workload === "repeat") {
    const passage = sample.slice(0, Math.ceil(length * PASSAGE));
    return [...passage, ...passage].slice(0, length);
  }
  const size = length - question.length - QUOTED;
  if (size < 2 * QUOTED) {
    throw new InputError(
      `Cannot ask about a text of ${length} tokens: the question alone has ${question.length}; make --lengths longer`,
    );
  }
  const from = Math.floor(size / 2);
  return [...sample.slice(0, size), ...question, ...sample.slice(from, from + QUOTED)];
}
