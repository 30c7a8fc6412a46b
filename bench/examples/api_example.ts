import { definePolicy, formatTable, keyNorm, methods, neg, runBenchmark } from "../../mod.ts";

/** Twice the budget in the first half of the layers; 4 sinks, the recent half, and the lowest key norms between. */
const twoHalves = definePolicy({
  name: "two_halves",
  params: { size: 128 },
  keep: ({ size }) => ({ layer, layers, entries }) => {
    const budget = layer < layers / 2 ? size : size / 2;
    return entries > budget ? { sink: 4, heavy: budget / 2 - 4, recent: budget / 2 } : "all";
  },
  score: () => neg(keyNorm), // the highest scores are kept
});

const { results, folder } = await runBenchmark({
  configurations: [
    { name: "baseline", policy: methods.baseline() },
    { name: "streaming_96", policy: methods.streaming_llm({ start_size: 4, recent_size: 92 }) },
    { name: "two_halves_128", policy: twoHalves() },
  ],
  max_tokens: 400,
});
console.log(`${formatTable(results)}\nresults.json and chart: ${folder}`);
