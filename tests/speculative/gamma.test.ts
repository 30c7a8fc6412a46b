import { deepEqual, equal, ok } from "node:assert/strict";
import { AUTO_GAMMAS, AutoGamma, fixedGamma } from "../../lib/speculative/decode/gamma.ts";
import { seededRandom } from "../../lib/util/random.ts";

/** Runs rounds whose tokens are right with a fixed probability, and whose times follow from a cost; counts choices. */
function choices(rate: number, cost: (asked: number) => number, rounds = 400, gamma = new AutoGamma()) {
  const random = seededRandom(5);
  const counts = new Map<number, number>();
  for (let i = 0; i < rounds; i++) {
    const asked = gamma.choose();
    if (i >= rounds / 2) counts.set(asked, (counts.get(asked) ?? 0) + 1);
    let accepted = 0;
    while (accepted < asked && random() < rate) accepted++;
    gamma.learn({ asked, drafted: asked, accepted, draft_s: 0, verify_s: 0, total_s: cost(asked) });
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([asked]) => asked);
}

Deno.test("a fixed gamma stays", () => {
  const gamma = fixedGamma(4);
  gamma.learn({ asked: 4, drafted: 4, accepted: 0, draft_s: 9, verify_s: 9, total_s: 18 });
  deepEqual([gamma.choose(), gamma.most], [4, 4]);
});

Deno.test("auto tries every number first", () => {
  const gamma = new AutoGamma();
  const tried = Array.from({ length: 3 * AUTO_GAMMAS.length }, () => {
    const asked = gamma.choose();
    gamma.learn({ asked, drafted: asked, accepted: 0, draft_s: 0, verify_s: 1, total_s: 1 });
    return asked;
  });
  deepEqual(new Set(tried), new Set(AUTO_GAMMAS));
});

Deno.test("auto takes what the expected tokens over the time of a round say", () => {
  for (const rate of [0.02, 0.3, 0.6, 0.97]) {
    for (const step of [0.05, 0.3, 0.9]) {
      const cost = (asked: number) => 1 + asked * step;
      const worth = (asked: number) =>
        Array.from({ length: asked + 1 }, (_, i) => rate ** i).reduce((a, b) => a + b) / cost(asked);
      const [most] = choices(rate, cost);
      const best = Math.max(...AUTO_GAMMAS.map(worth));
      // Neighbours may be worth almost the same.
      ok(worth(most!) > 0.9 * best, `rate ${rate}, step ${step}: ${most}`);
    }
  }
  equal(choices(0.02, (asked) => 1 + asked)[0], 0);
  equal(choices(0.99, (asked) => 1 + asked * 0.01)[0], 8);
});

Deno.test("auto follows a draft that becomes better", () => {
  const gamma = new AutoGamma();
  equal(choices(0, (asked) => 1 + 0.3 * asked, 200, gamma)[0], 0);
  equal(choices(1, (asked) => 1 + 0.3 * asked, 1200, gamma)[0], 8);
});
