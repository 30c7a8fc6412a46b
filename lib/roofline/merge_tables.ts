import { Keeper, type KeepTable } from "../cache/schedule.ts";

/**
 * Merges the tables of several budgets of a policy into one, so that one loaded model serves all of them: a sequence at
 * one budget meets other counts than a sequence at another. Returns undefined if two budgets keep different sizes of
 * the same count, act on different layers, or group layers differently, and so need different graphs.
 *
 * @example
 * ```ts
 * import { mergeTables } from "./merge_tables.ts";
 *
 * const at = (budget: number) => ({ layers: [[[budget + 1, 0, 0, budget] as const]] });
 * console.log(mergeTables([at(8), at(16)])?.layers); // [ [ [ 9, 0, 0, 8 ], [ 17, 0, 0, 16 ] ] ]
 * console.log(mergeTables([at(8), { layers: [[[9, 4, 0, 4]]] }])); // undefined
 * ```
 *
 * @param tables One for each budget, all with the same number of layers.
 * @returns The table.
 */
export function mergeTables(tables: readonly KeepTable[]): KeepTable | undefined {
  const [first] = tables;
  if (first === undefined) return undefined;
  const layers: (readonly [number, number, number, number])[][] = [];
  for (let layer = 0; layer < first.layers.length; layer++) {
    const met = new Map<number, readonly [number, number, number, number]>();
    for (const { layers } of tables) {
      for (const row of layers[layer]!) {
        const known = met.get(row[0]);
        if (known !== undefined && row.some((size, i) => size !== known[i])) return undefined;
        met.set(row[0], row);
      }
    }
    layers.push([...met.values()]);
  }
  const merged = { layers };
  return tables.every((table) => graphOf(table) === graphOf(merged)) ? merged : undefined;
}

/** The parts of a table that shape the graph: layers acted on, and groups of equal lengths. */
function graphOf(table: KeepTable): string {
  const keeper = new Keeper(table);
  return `${keeper.groups()} ${table.layers.map((_, layer) => keeper.acts(layer))}`;
}
