import { InputError } from "../../util/errors.ts";
import type { JsonReader } from "./json_reader.ts";

/**
 * Reads a JSON file and checks its shape.
 *
 * @param file Its path.
 * @param reader Checks the content.
 * @returns The content.
 * @throws {InputError} If the file does not exist, it is not JSON, or a field fails its check; names the field.
 *
 * @example
 * ```ts
 * import { readJson } from "./read_json.ts";
 * import { number, object } from "./json_reader.ts";
 *
 * const file = await Deno.makeTempFile();
 * await Deno.writeTextFile(file, '{"layers": "six"}');
 * await readJson(file, object({ layers: number })).catch(({ message }) => console.log(message));
 * // "Cannot read …: layers is "six", a number is needed"
 * await Deno.remove(file);
 * ```
 */
export async function readJson<T>(file: string, reader: JsonReader<T>): Promise<T> {
  const failed = (reason: string, cause: unknown) => new InputError(`Cannot read ${file}: ${reason}`, { cause });
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (cause) {
    throw failed(cause instanceof Deno.errors.NotFound ? "there is no such file" : (cause as Error).message, cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw failed(`it is not JSON (${(cause as Error).message})`, cause);
  }
  try {
    return reader(value, "");
  } catch (cause) {
    throw failed((cause as Error).message, cause);
  }
}
