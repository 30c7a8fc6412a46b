/** A rectangle, points. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A label to place beside a point. */
export interface PointLabel {
  /** The point. */
  x: number;
  y: number;
  /** The label's size, points. */
  width: number;
  height: number;
}

/** Directions to try, from the best on: diagonals first, because intervals go to the sides, up and down. */
const DIRECTIONS = [[1, -1], [1, 1], [-1, -1], [-1, 1], [1, 0], [0, -1], [0, 1], [-1, 0]] as const;
/** Distances from a point to its label to try, in multiples of the least. */
const DISTANCES = [1, 1.8, 2.8, 4];
/** Distance up to which lines are avoided. */
const NEAR = 1.8;

/**
 * Places labels beside their points so that none covers another, a point, or the edge: one after another, each at the
 * first free of several places.
 *
 * @param labels In the order of their importance.
 * @param options `bounds`: where labels may be; `distance`: from the middle of a point to its label; `lines`: what
 * labels cover only where there is no other place. Points are squares of twice the distance less one.
 * @returns The place of each; undefined where no place is free.
 *
 * @example
 * ```ts
 * import { placeLabels } from "./place_labels.ts";
 *
 * const label = { width: 20, height: 10 };
 * const places = placeLabels([{ ...label, x: 50, y: 50 }, { ...label, x: 60, y: 50 }], {
 *   bounds: { x: 0, y: 0, width: 100, height: 100 },
 *   distance: 6,
 * });
 * console.log(places[0]?.x, places[1]?.y); // 54.5 54.5
 * ```
 */
export function placeLabels(
  labels: readonly PointLabel[],
  { bounds, distance, lines = [] }: { bounds: Box; distance: number; lines?: readonly Box[] },
): (Box | undefined)[] {
  const side = 2 * distance - 1;
  const taken: Box[] = labels.map(({ x, y }) => ({ x: x - side / 2, y: y - side / 2, width: side, height: side }));
  return labels.map((label) => {
    const free = DISTANCES
      .flatMap((factor) => DIRECTIONS.map(([dx, dy]) => ({ factor, box: beside(label, dx, dy, factor * distance) })))
      .filter(({ box }) => contains(bounds, box) && !taken.some((other) => overlap(box, other)));
    // Far from its point, a label may be taken for another's: it rather covers a line.
    const clear = free.find(({ factor, box }) => factor <= NEAR && !lines.some((line) => overlap(box, line)));
    const place = (clear ?? free[0])?.box;
    if (place !== undefined) taken.push(place);
    return place;
  });
}

/** A label's box in a direction from its point. */
function beside({ x, y, width, height }: PointLabel, dx: number, dy: number, distance: number): Box {
  // Diagonally, both sides keep a part of the distance.
  const away = dx !== 0 && dy !== 0 ? 0.75 * distance : distance;
  return {
    x: x + dx * away - (dx === 0 ? width / 2 : dx < 0 ? width : 0),
    y: y + dy * away - (dy === 0 ? height / 2 : dy < 0 ? height : 0),
    width,
    height,
  };
}

/**
 * Tells whether two rectangles have an area in common.
 *
 * @param a One.
 * @param b The other.
 * @returns Whether they overlap; touching is not overlapping.
 *
 * @example
 * ```ts
 * import { overlap } from "./place_labels.ts";
 *
 * console.log(overlap({ x: 0, y: 0, width: 2, height: 2 }, { x: 2, y: 0, width: 1, height: 1 })); // false
 * ```
 */
export function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function contains(outer: Box, inner: Box): boolean {
  return inner.x >= outer.x && inner.y >= outer.y && inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height;
}
