/**
 * Tells which points no other point beats: none is as good in both figures and better in one. Less is better.
 *
 * @param points Their figures.
 * @returns For each point whether it is on the frontier.
 *
 * @example
 * ```ts
 * import { paretoOptimal } from "./pareto.ts";
 *
 * console.log(paretoOptimal([{ x: 1, y: 9 }, { x: 2, y: 9 }, { x: 2, y: 3 }])); // [ true, false, true ]
 * ```
 */
export function paretoOptimal(points: readonly { x: number; y: number }[]): boolean[] {
  return points.map((point) =>
    !points.some((other) => other.x <= point.x && other.y <= point.y && (other.x < point.x || other.y < point.y))
  );
}
