/**
 * Width of the terminal, characters; 80 where there is none to ask, or it does not know, as under `script` or in a
 * container.
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
