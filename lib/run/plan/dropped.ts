import { Keeper, type KeepTable, type Stretch } from "../../cache/schedule.ts";
import type { DroppedEntries } from "../../report/results/types.ts";

/**
 * How many entries a configuration drops in each pass, by the sizes that the run is made with: those it evicts by, so a
 * method that acts and then keeps all there is counts as none.
 *
 * @param table What is kept, for every layer and count.
 * @param courses The passes.
 * @returns Entries dropped by the end of each, summed over layers.
 */
export function droppedEntries(
  table: KeepTable,
  courses: { readonly speed: readonly Stretch[]; readonly quality: readonly Stretch[] },
): DroppedEntries {
  const keeper = new Keeper(table);
  const of = (course: readonly Stretch[]) => {
    const tokens = course.reduce((sum, stretch) => sum + stretch.tokens * stretch.times, 0);
    return table.layers.reduce((sum, _, layer) => sum + tokens - keeper.course(layer, course).held, 0);
  };
  return { speed: of(courses.speed), quality: of(courses.quality) };
}
