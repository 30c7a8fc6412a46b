import assert from "node:assert/strict";
import { formatFinished } from "../../lib/report/tables/finished_line.ts";
import { inventInterval, inventResults, inventRounds } from "./_invent.ts";

Deno.test("formatFinished() has the main figures in one line", () => {
  const results = inventRounds({ baseline: [{}], streaming_256: [{ perplexity: 42.18, tpot: 0.00162 }] });
  results.comparisons!["streaming_256"]!.quality!.ln_ppl_ratio = inventInterval(0.001, 0, 0);
  assert.equal(
    formatFinished(results, "streaming_256"),
    "streaming_256: TPOT 1.62 ms, PPL 42.18 (+0.1 %), KL 0.0012, holds 40 %",
  );
  assert.equal(formatFinished(results, "baseline"), "baseline: TPOT 4.50 ms, PPL 42.35, holds 100 %");
});

Deno.test("formatFinished() leaves out what is not known yet, or was not asked for", () => {
  const results = inventResults({ baseline: "", streaming_256: [{ perplexity: 8.5e7 }] });
  assert.equal(formatFinished(results, "streaming_256"), "streaming_256: TPOT 4.50 ms, PPL 8.50e7");
  results.aggregated_stats["baseline"] = { ...results.aggregated_stats["streaming_256"]!, perplexity: 85 };
  assert.equal(formatFinished(results, "streaming_256"), "streaming_256: TPOT 4.50 ms, PPL 8.50e7 (+1.0e+8 %)");
  const noTimes = inventResults({ a: [{ tpot: NaN }] }, { passes: "quality" });
  assert.equal(formatFinished(noTimes, "a"), "a: PPL 42.35");
  const noQuality = inventResults({ a: [{ perplexity: NaN }] }, { passes: "speed" });
  assert.equal(formatFinished(noQuality, "a"), "a: TPOT 4.50 ms");
  assert.equal(formatFinished(inventResults({ a: [{ perplexity: NaN }] }), "a"), "a: TPOT 4.50 ms, PPL nan");
});

Deno.test("formatFinished() says why there are no figures, on one line", () => {
  const results = inventResults({ a: "Out of memory:\n  4.2 GB asked for", b: "" });
  assert.equal(formatFinished(results, "a"), "a: failed: Out of memory: 4.2 GB asked for");
  assert.equal(formatFinished(results, "b"), "b: no figures");
});
