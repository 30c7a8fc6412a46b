import assert from "node:assert/strict";
import { formatChanges } from "../../lib/report/tables/changes_table.ts";
import { changesAgainstBaseline } from "../../lib/report/tables/changes.ts";
import { formatDetails } from "../../lib/report/tables/detail_table.ts";
import { intervalNotes } from "../../lib/report/tables/interval_notes.ts";
import { reportText, runTerms, timingNotes } from "../../lib/report/tables/report_text.ts";
import { formatTable } from "../../lib/report/tables/table.ts";
import { inventResults, inventRounds } from "./_invent.ts";

const RUN = {
  baseline: [{}, {}],
  recent_only_1024: [{}, {}],
  "fix256_keep_low_kr=0.8": [{ tpot: 0.0052, peak_vram_gb: 3.21 }, { tpot: 0.0052, peak_vram_gb: 3.21 }],
  "h2o_25%": "Cannot allocate 4.2 GB for keys and values: the GPU has 3.1 GB left; --max_tokens 1000 would do",
};

function invented() {
  const results = inventRounds(RUN);
  Object.assign(results.configurations[2]!, {
    marks: ["shared"],
    params: { fix_kv_size: 256, keep_ratio: 0.8, strategy: "keep_low", a_parameter: 1, another_one: 2 },
    notes: ["other processes kept 1.2 cores busy in 2 of 6 rounds; the least TPOT was 4.1 ms, the largest 6.3 ms"],
  });
  return results;
}

Deno.test("reportText() has the first table to the byte, then details, changes and intervals, rows and notes", () => {
  const results = invented();
  const text = reportText(results, {});
  const parts = [
    `${runTerms(results)}\n\n${formatTable(results)}`,
    formatDetails(results),
    `${formatChanges(changesAgainstBaseline(results))}\n${intervalNotes(results)}`,
    `\
fix256_keep_low_kr=0.8  fix256_keep_low_kr=0.8: fix_kv_size 256, keep_ratio 0.8, strategy keep_low, a_parameter 1, another_one 2
h2o_25%                 h2o_25%`,
    `\
! shared (other processes ran meanwhile): fix256_keep_low_kr=0.8
fix256_keep_low_kr=0.8: other processes kept 1.2 cores busy in 2 of 6 rounds; the least TPOT was 4.1 ms, the largest 6.3 ms`,
  ];
  results.configurations[1]!.method = "recent_only";
  assert.equal(reportText(results, {}), parts.join("\n\n"));
  assert.notEqual(text, "");
});

Deno.test("reportText() fits a terminal of 80 columns without loss of a figure", () => {
  const results = invented();
  const words = (text: string) => new Set(text.split(/\s+|-{3,}|={3,}/).filter((word) => word !== ""));
  const narrow = reportText(results, { columns: 80 });
  const lines = narrow.split("\n");
  assert.deepEqual(lines.filter((line) => line.length > 80), []);
  assert.deepEqual([...words(formatDetails(results)).difference(words(narrow))], []);
  // Titles are shorter, and the reason is not cut.
  const missing = words(reportText(results, {})).difference(words(narrow));
  assert.deepEqual([...missing].sort(), ["Change", "TPOT(s)", "TTFT(s)", "VRAM(GB)", "le…"]);
  assert.ok(words(narrow).isSupersetOf(words("--max_tokens 1000 would do")));
});

Deno.test("runTerms() speaks of the passes that were made", () => {
  const of = (config: Parameters<typeof inventResults>[1]) => runTerms(inventResults({ baseline: [{}] }, config));
  assert.equal(
    of({ repetitions: 6 }),
    "NVIDIA Invented 80GB (cuda), float16; quality: 2 samples of 2000 tokens; " +
      "speed: 128 tokens of prompt, 500 new, 6 rounds",
  );
  assert.equal(
    of({ passes: "quality", num_samples: 1 }),
    "NVIDIA Invented 80GB (cuda), float16; quality: 1 sample of 2000 tokens",
  );
  assert.equal(
    of({ passes: "speed", prefill_chunk: 64 }),
    "NVIDIA Invented 80GB (cuda), float16; speed: 128 tokens of prompt, 64 at a time, 500 new",
  );
});

Deno.test("timingNotes() names rows whose steps vary", () => {
  const step_times_s = Array.from({ length: 40 }, (_, i) => i % 9 === 0 ? 0.05 : 0.004);
  assert.deepEqual(timingNotes(inventResults({ baseline: [{}], a: [{ step_times_s }] })), [
    "Unsteady step times in a: other work on this machine, or too little warm-up (--num_warmup), may be the cause",
  ]);
  assert.deepEqual(timingNotes(inventResults({ baseline: [{}] })), []);
});
