import type { FlagTable } from "./read.ts";
import type { FlagSpec } from "./spec.ts";

/**
 * Separates the words of a command line, such as folders, from its flags and their values. Words may stand before,
 * between and after flags; all after `--` are words.
 *
 * @example
 * ```ts
 * import { splitWords } from "./words.ts";
 * import { text } from "./values.ts";
 *
 * const table = {
 *   to: { group: "", help: "the file", value: "FILE", read: text, default: "" },
 *   all: { group: "", help: "all of it", default: false },
 * };
 * const { words, flags } = splitWords(["a", "--to", "b", "--all", "c"], table);
 * console.log(words, flags); // [ "a", "c" ] [ "--to", "b", "--all" ]
 * ```
 *
 * @param argv The arguments, as in `Deno.args`.
 * @param table All flags of the script. An unknown flag is left to `readFlags`, which names it.
 * @returns Both, in their order.
 */
export function splitWords<F extends object>(
  argv: readonly string[],
  table: FlagTable<F>,
): { words: string[]; flags: string[] } {
  const words: string[] = [], flags: string[] = [];
  const specs = Object.entries<FlagSpec<unknown>>(table);
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === "--") {
      words.push(...argv.slice(i + 1));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      words.push(arg);
      continue;
    }
    flags.push(arg);
    const name = arg.replace(/^--?/, "").replaceAll("-", "_");
    const [, spec] = specs.find(([flag, { short }]) => arg.startsWith("--") ? flag === name : short === name) ?? [];
    if (spec?.read !== undefined && argv[i + 1] !== undefined) flags.push(argv[++i]!);
  }
  return { words, flags };
}
