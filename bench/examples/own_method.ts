/** `deno task own-method`: compares a method with a new score to the method it is based on. */
import { abs, attention, definePolicy, formatTable, methods, mul, runBenchmark, sumOver, values } from "../../mod.ts";

/** H2O weighted by the size of the value: attention times the value's L1 norm. Guo et al. 2024, arXiv:2406.12335 */
const valueAware = definePolicy({
  name: "value_aware",
  params: { size: 96 },
  keep: ({ size }) => ({ entries }) => entries > size ? { sink: 0, heavy: size / 2, recent: size / 2 } : "all",
  score: () => mul(attention, sumOver("dim", abs(values))),
  attention: () => ({ from: "all", accumulate: true }),
});

const { results } = await runBenchmark({
  configurations: [
    { name: "baseline", policy: methods.baseline() },
    { name: "h2o_96", policy: methods.h2o({ heavy_size: 48, recent_size: 48 }) },
    { name: "value_aware_96", policy: valueAware() },
  ],
  num_samples: 1,
  max_tokens: 400,
});
console.log(formatTable(results));
