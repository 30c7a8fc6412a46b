import { parse as parseJsonc, type ParseError, printParseErrorCode } from "jsonc-parser";
import { parseDocument } from "yaml";
import { InputError } from "../../util/errors.ts";
import { printable } from "../../util/printable.ts";

/**
 * Reads a file of JSON with comments (.json, .jsonc) or YAML (.yaml, .yml). In YAML, the JSON of a plan is valid too.
 *
 * @example
 * ```ts
 * import { parseFile } from "./parse_file.ts";
 *
 * const file = await Deno.makeTempFile({ suffix: ".yaml" });
 * await Deno.writeTextFile(file, "grid:\n  budget: [10%, 128-512*2]\n");
 * console.log(await parseFile(file)); // { grid: { budget: [ "10%", "128-512*2" ] } }
 * await Deno.remove(file);
 * ```
 *
 * @param file Its path.
 * @returns The value.
 * @throws {InputError} Naming the file, and the line of a mistake.
 */
export async function parseFile(file: string): Promise<unknown> {
  const failed = (reason: string, cause?: unknown) => new InputError(`Cannot read ${file}: ${reason}`, { cause });
  const text = await Deno.readTextFile(file).catch((cause) => {
    throw failed(cause instanceof Deno.errors.NotFound ? "there is no such file" : (cause as Error).message, cause);
  });
  if (/\.ya?ml$/i.test(file)) {
    const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
    const [mistake] = document.errors;
    if (mistake === undefined) return document.toJS({ maxAliasCount: 100 });
    throw failed(`it is not YAML: ${printable(mistake.message.split("\n", 1)[0]!.replace(/:$/, ""))}`);
  }
  if (!/\.jsonc?$/i.test(file)) {
    throw failed("its name says no format; a plan's name ends in .json, .jsonc, .yaml or .yml");
  }
  const mistakes: ParseError[] = [];
  const value: unknown = parseJsonc(text, mistakes, { allowTrailingComma: true });
  const [mistake] = mistakes;
  if (mistake === undefined) return value;
  const before = text.slice(0, mistake.offset).split("\n");
  const place = `line ${before.length}, column ${before.at(-1)!.length + 1}`;
  throw failed(`it is not JSON: ${spaced(printParseErrorCode(mistake.error))} at ${place}`);
}

/** "CommaExpected" → "comma expected" */
function spaced(name: string): string {
  return name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
}
