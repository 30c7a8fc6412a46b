/**
 * Returns the terminal's width in characters. It is 80 if the output is not a terminal, or if the terminal does not
 * know its width, as under `script` or in a container.
 *
 * @example
 * ```ts
 * import { terminalColumns } from "./terminal_columns.ts";
 *
 * console.log("-".repeat(terminalColumns()));
 * ```
 */
export function terminalColumns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}
