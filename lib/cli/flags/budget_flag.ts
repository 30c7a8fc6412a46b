import { type Budget, LEAST_SHARE, readBudget } from "../../policies/budget.ts";
import { listWithRanges } from "../../flags/ranges.ts";
import { fault, type FlagReader } from "../../flags/values.ts";

/** Reads budgets: entries, ranges of entries and shares of the full cache, mixed. */
export const budgets: FlagReader<readonly Budget[]> = listWithRanges<Budget>((flag, text) => {
  const budget = readBudget(text);
  if (budget !== undefined) return budget;
  throw fault(flag, text, `give entries, such as 128, or a share from ${LEAST_SHARE}% to 100%, such as 25%`);
}, 1);
