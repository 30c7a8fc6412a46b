import type { BudgetShape } from "../policies/budget.ts";
import type { Policy } from "../policies/policy.ts";

/** More entries than any text has. */
const MANY = 2 ** 52;
/** Largest size tried: where sizes fall steeply, no size may reach the budget in the last layers. */
const LARGEST = 2 ** 31;

/** The shape of a budget that is a layer's own: for the engine benchmark, whose lengths are the most that is held. */
const ONE_LAYER: BudgetShape = { layers: 1, acting: [0], tokens: Infinity };

/**
 * Finds the size at which layers of different sizes hold a budget on average at the end of a text.
 *
 * @param entries The budget. If the text is shorter, the mean is over what layers would hold in a longer one.
 * @param shape Layers and length; if left out, the budget is the first layer's.
 * @param make Makes the policy at a size. What its layers keep depends on the size alone and grows with it.
 * @returns The policy with the largest size that holds at most `entries` on average, or that of size 1 if none does. To
 * hold the whole text, the smallest size that does.
 */
export function holdMean(entries: number, shape: BudgetShape = ONE_LAYER, make: (size: number) => Policy): Policy {
  const { layers, acting, tokens } = shape;
  if (acting.length === 0) return make(entries);
  const most = entries > tokens ? Infinity : tokens;
  const heldAt = (size: number) => {
    const policy = make(size);
    return acting.reduce((sum, layer) => {
      const kept = policy.keep({ layer, layers, entries: MANY });
      return sum + Math.min(most, kept === "all" ? MANY : kept.sink + kept.heavy + kept.recent);
    }, 0);
  };
  const goal = entries * acting.length;
  if (entries === tokens) {
    const whole = heldAt(LARGEST);
    return make(lastSize((size) => heldAt(size) < whole) + 1);
  }
  return make(Math.max(1, lastSize((size) => heldAt(size) <= goal)));
}

/** Returns the last size that fits, where larger sizes than one that does not fit do not fit either; 0 if none does. */
function lastSize(fits: (size: number) => boolean): number {
  let low = 0, high = 1;
  while (high < LARGEST && fits(high)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}
