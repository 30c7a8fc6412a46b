import { join } from "@std/path";
import { nightsIn } from "./night_folder.ts";

/** Name of a night's folder while it is removed, which no reader looks into. */
const REMOVING = /^\.removing-\d{4}-\d\d-\d\d$/;

/**
 * Removes the folders of old nights: whole ones, and only those that `deno task nightly` made for this plan. A folder is
 * renamed first, so that nobody takes what is left of it for a night; one that a killed process left half removed is
 * removed too. Links are not followed: a link in a night's folder is removed, not what it leads to.
 *
 * @example
 * ```ts
 * import { removeOldNights } from "./retention.ts";
 *
 * const clean = () => removeOldNights("/data/nightly", "paper", { tonight: "2026-11-24", keep: 30, onRemove: console.log });
 * ```
 *
 * @param nights The folder of all nights.
 * @param plan Name of the plan.
 * @param options `keep`: nights that stay, tonight's included. Later ones than tonight's, of a clock that was wrong, stay
 * and do not count. `onRemove` is told of each folder before it is removed.
 * @returns Names of the nights that are gone.
 */
export async function removeOldNights(
  nights: string,
  plan: string,
  { tonight, keep, onRemove }: {
    readonly tonight: string;
    readonly keep: number;
    readonly onRemove: (folder: string) => void;
  },
): Promise<string[]> {
  for await (const { name, isDirectory } of Deno.readDir(nights)) {
    if (!isDirectory || !REMOVING.test(name)) continue;
    onRemove(join(nights, name));
    await Deno.remove(join(nights, name), { recursive: true });
  }
  const past = (await nightsIn(nights, plan)).filter((night) => night <= tonight);
  const old = past.slice(0, Math.max(0, past.length - keep));
  for (const night of old) {
    const away = join(nights, `.removing-${night}`);
    onRemove(join(nights, night));
    await Deno.rename(join(nights, night), away);
    await Deno.remove(away, { recursive: true });
  }
  return old;
}
