import { DEFAULTS, type DeviceDefaults } from "../../run/plan/device_defaults.ts";
import { FLAG_TABLE } from "./table.ts";
import type { Flags } from "./types.ts";
import type { FlagSpec } from "../../flags/spec.ts";
import type { FlagTable } from "../../flags/read.ts";

const WIDTH = 100;
const LEFT = 30;

/**
 * Returns the text of `--help`. It is made from the table that the parser reads, so the two cannot differ.
 *
 * @example
 * ```ts
 * import { helpText } from "./help.ts";
 *
 * console.log(helpText("0.1.0").split("\n")[0]);
 * // kvcompress 0.1.0: benchmark of KV-cache compression for language models
 * ```
 *
 * @param version The project's version.
 * @returns Lines of at most 100 columns.
 */
export function helpText(version: string): string {
  const lines = [
    `kvcompress ${version}: benchmark of KV-cache compression for language models`,
    "",
    "deno task bench                                       the embedded model, Moby Dick, streaming_llm",
    "deno task bench --method fix_size_l2 --fix_kv_sizes 256,512",
    "deno task bench --compare_all --model_id EleutherAI/pythia-2.8b --device cuda",
    "deno task bench --compare_papers --cache_sizes 256 --positions absolute,cache",
    "",
    ...wrap(
      "A value follows its flag, after a space or =; a LIST is written with commas; dashes in names do as well as " +
        "underscores.",
      WIDTH,
    ),
  ];
  return [...lines, ...flagLines<Omit<Flags, "warnings">>(FLAG_TABLE, defaultText)].join("\n");
}

/**
 * Lists the flags for a help text, under the headings of their groups.
 *
 * @example
 * ```ts
 * import { flagLines } from "./help.ts";
 *
 * console.log(flagLines({ json: { group: "Output", help: "print JSON", default: false } }, () => "").join("\n"));
 * //
 * // Output
 * //   --json                      print JSON
 * ```
 *
 * @param table The flags.
 * @param defaultText Text added to the help of a flag: its default.
 * @returns Lines of at most 100 columns, the first empty.
 */
export function flagLines<F extends object>(
  table: FlagTable<F>,
  defaultText: (name: string, flag: FlagSpec<unknown>) => string,
): string[] {
  const lines: string[] = [];
  let group = "";
  for (const [name, flag] of Object.entries<FlagSpec<unknown>>(table)) {
    if (flag.group !== group) lines.push("", group = flag.group);
    const short = flag.short === undefined ? "" : `-${flag.short}, `;
    const left = `  ${short}--${name}${flag.value === undefined ? "" : ` ${flag.value}`}`.padEnd(LEFT);
    const right = wrap(`${flag.help}${defaultText(name, flag)}`, WIDTH - LEFT);
    right.forEach((line, i) => lines.push(`${i === 0 ? left : " ".repeat(LEFT)}${line}`));
  }
  return lines;
}

/**
 * Returns the text of a flag's default, where those that depend on the device are the benchmark's.
 *
 * @example
 * ```ts
 * import { defaultText } from "./help.ts";
 *
 * console.log(defaultText("prompt_tokens", { group: "", help: "", value: "N", default: undefined }));
 * //  (default 1500 on CUDA, 512 on CPU)
 * ```
 *
 * @param name The flag.
 * @param flag Its specification.
 * @returns The text in parentheses, after a space; "" for a switch.
 */
export function defaultText(name: string, { value, default: fallback, defaultText }: FlagSpec<unknown>): string {
  if (value === undefined) return "";
  if (defaultText !== undefined) return ` (default ${defaultText})`;
  if (fallback !== undefined) return ` (default ${fallback})`;
  const key = name as keyof DeviceDefaults;
  const { cuda: { [key]: cuda }, cpu: { [key]: cpu } } = DEFAULTS;
  return cuda === cpu ? ` (default ${cuda})` : ` (default ${cuda} on CUDA, ${cpu} on CPU)`;
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1]!;
    if (last === "") lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
