/**
 * Formats JSON for people and machines: indented by two spaces, but a list of plain values is on one line. Otherwise
 * thousands of raw step times would be thousands of lines, and hide the few figures of interest.
 *
 * @param value Anything `JSON.stringify` takes. Numbers are written in full; those that JSON cannot express become
 * null.
 * @returns The text, without a line end. `JSON.parse` returns the same as for `JSON.stringify(value)`.
 *
 * @example
 * ```ts
 * import { formatJson } from "./json.ts";
 *
 * console.log(formatJson({ method: "baseline", nll: [3.25, 1.5] }));
 * // {
 * //   "method": "baseline",
 * //   "nll": [3.25, 1.5]
 * // }
 * ```
 */
export function formatJson(value: unknown): string {
  // One round through JSON settles which fields are left out, which become null and what toJSON() gives.
  return format(JSON.parse(JSON.stringify(value) ?? "null"), "");
}

function format(value: unknown, indent: string): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== "object" || item === null)) {
      return `[${value.map((item) => JSON.stringify(item)).join(", ")}]`;
    }
    return `[\n${value.map((item) => inner + format(item, inner)).join(",\n")}\n${indent}]`;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return "{}";
  return `{\n${
    entries.map(([key, item]) => `${inner}${JSON.stringify(key)}: ${format(item, inner)}`).join(",\n")
  }\n${indent}}`;
}
