import type { ConfigurationRecord } from "../results/types.ts";

/**
 * Notes what a reader must know before comparing times: which configurations ran their decode steps with ONNX Runtime's
 * kernels while others ran the project's own; or, if none ran the project's own, why.
 *
 * @param configurations Those of results.json.
 * @returns A line, without a line end; "" if there is nothing to note.
 *
 * @example
 * ```ts
 * import { kernelsNote } from "./kernels_note.ts";
 *
 * console.log(kernelsNote([
 *   { name: "baseline", kernels: "own" },
 *   { name: "keydiff_256", kernels: "ort", kernels_reason: "the method's score reads keys" },
 * ]));
 * // Times do not compare: steps of keydiff_256 ran ONNX Runtime's kernels (the method's score reads keys), all others
 * // the project's own, which are faster; --kernels ort runs all alike
 * ```
 */
export function kernelsNote(
  configurations: readonly Pick<ConfigurationRecord, "name" | "kernels" | "kernels_reason">[],
): string {
  const isOwn = configurations.some(({ kernels }) => kernels === "own");
  const names = new Map<string, string[]>();
  for (const { name, kernels, kernels_reason: reason } of configurations) {
    if (kernels === "ort" && reason !== undefined) names.set(reason, [...(names.get(reason) ?? []), name]);
  }
  if (names.size === 0) return "";
  if (isOwn) {
    const which = [...names].map(([reason, names]) => `${names.join(", ")} ran ONNX Runtime's kernels (${reason})`);
    return `Times do not compare: steps of ${which.join(", of ")}, all others the project's own, which are faster; ` +
      "--kernels ort runs all alike";
  }
  const reasons = [...names.keys()].filter((reason) => reason !== "--kernels ort");
  return reasons.length === 0
    ? ""
    : `Decode steps ran ONNX Runtime's kernels, not the project's own: ${reasons.join("; ")}`;
}
