import assert from "node:assert/strict";
import fc from "fast-check";
import { formatCsv } from "../../lib/report/tables/formats/csv.ts";
import { formatResults, FORMATS } from "../../lib/report/tables/formats/format_results.ts";
import { formatJsonLines, jsonLine } from "../../lib/report/tables/formats/jsonl.ts";
import { formatMarkdown } from "../../lib/report/tables/formats/markdown.ts";
import { inventResults, inventRounds } from "./_invent.ts";

/** Reads CSV as RFC 4180 says: a field in quotes ends at the first quote that is not doubled. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (let at = 0; at <= text.length; at++) {
    let field = "";
    if (text[at] === '"') {
      for (at++; text[at] !== '"' || text[++at] === '"'; at++) field += text[at];
    } else {
      for (; at < text.length && text[at] !== "," && text[at] !== "\n"; at++) field += text[at];
    }
    rows.at(-1)!.push(field);
    assert.ok(at === text.length || text[at] === "," || text[at] === "\n", `"${text[at]}" after a field`);
    if (text[at] === "\n") rows.push([]);
  }
  return rows;
}

function invented() {
  const results = inventRounds({
    baseline: [{ tpot: 0.0041234567890123 }, { tpot: 0.0041234567890123 }],
    "fix256_keep_low_kr=0.8": [{ perplexity: NaN, peak_vram_gb: null }],
    "h2o_25%": 'Out of memory: "4.2 GB" asked for,\n3.1 GB left',
    "a|b_*c*": "",
  });
  Object.assign(results.configurations[1]!, {
    params: { keep_ratio: 0.8, strategy: "keep_low" },
    marks: ["shared", "unsteady"],
    notes: ["one, two", "three"],
  });
  return results;
}

Deno.test("formatCsv() has a header and a line for each configuration, with figures in full", () => {
  const [names, ...rows] = readCsv(formatCsv(invented()));
  const records = rows.map((row) => Object.fromEntries(row.map((cell, i) => [names![i]!, cell])));
  assert.equal(new Set(names).size, names!.length);
  assert.ok(rows.every(({ length }) => length === names!.length));
  assert.deepEqual(names!.slice(0, 6), ["name", "method", "params", "positions", "status", "reason"]);
  const [baseline, fix, h2o, last] = records;
  assert.equal(baseline!.tpot_s, "0.0041234567890123");
  assert.equal(baseline!.tpot_ratio, "");
  assert.equal(baseline!.samples, "2");
  assert.equal(baseline!.held_share, "1");
  assert.equal(fix!.name, "fix256_keep_low_kr=0.8");
  assert.deepEqual([fix!.tpot_ratio, fix!.tpot_ratio_low, fix!.tpot_ratio_high], ["1.156", "1.149", "1.163"]);
  assert.equal(fix!.perplexity, "nan");
  assert.equal(fix!.peak_vram_gib, "");
  assert.equal(fix!.kl_nats, "0.001234");
  assert.equal(fix!.params, '{"keep_ratio":0.8,"strategy":"keep_low"}');
  assert.equal(fix!.marks, "shared; unsteady");
  assert.equal(fix!.notes, "one, two; three");
  assert.equal(h2o!.reason, 'Out of memory: "4.2 GB" asked for,\n3.1 GB left');
  assert.equal(h2o!.tpot_s, "");
  assert.deepEqual([last!.name, last!.status], ["a|b_*c*", "not run"]);
});

Deno.test("formatCsv() quotes any name so that it is read as it is", () => {
  // A run refuses names that every object has.
  const free = fc.string().filter((name) => !(name in Object.prototype));
  fc.assert(fc.property(fc.array(free, { minLength: 1, maxLength: 3 }), (names) => {
    const results = inventResults({ a: [{}], b: "", c: "" });
    results.configurations.length = names.length;
    names.forEach((name, i) => results.configurations[i]!.name = name);
    assert.deepEqual(readCsv(formatCsv(results)).slice(1).map(([name]) => name), names);
  }));
});

Deno.test("formatJsonLines() has the fields of the CSV file as an object on each line", () => {
  const results = invented();
  const rows = formatJsonLines(results).split("\n").map((line) => JSON.parse(line));
  const [names] = readCsv(formatCsv(results));
  for (const row of rows) assert.deepEqual(Object.keys(row), names);
  assert.deepEqual(rows[1].params, { keep_ratio: 0.8, strategy: "keep_low" });
  assert.deepEqual(rows[1].marks, ["shared", "unsteady"]);
  assert.equal(rows[1].perplexity, null);
  assert.equal(rows[0].tpot_s, 0.0041234567890123);
  assert.equal(jsonLine(results, "h2o_25%"), formatJsonLines(results).split("\n")[2]);
  assert.throws(() => jsonLine(results, "h2o"), RangeError);
});

Deno.test("formatMarkdown() has the three tables, with names escaped, and notes as lists", () => {
  const results = inventRounds({
    baseline: [{}],
    "fix256_keep_low_kr=0.8": [{ vram_method: "device" }],
    "a|b_*c*": "Out of memory",
  }, { num_samples: 1 });
  results.configurations[1]!.marks = ["shared"];
  assert.equal(
    formatMarkdown(results),
    String
      .raw`NVIDIA Invented 80GB (cuda), float16; quality: 1 sample of 2000 tokens; speed: 128 tokens of prompt, 500 new, 6 rounds

| Method | TTFT(s) | TPOT(s) | Thruput | PPL | Acc | VRAM(GB) | Cache |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| baseline | 0.0123 | 0.0045 | 156.78 | 42.35 | 35.67% | 5.23 | 2000 |
| fix256_keep_low_kr=0.8 | 0.0123 | 0.0045! | 156.78 | 42.35 | 35.67% | 5.23\* | 2000 |
| a\|b\_\*c\* | failed: Out of memory |  |  |  |  |  |  |

| Method | TPOT ms | vs baseline | First ms | p95 ms | KL | Top-1 % | PPL evicted | Held | Held % | KV MiB | VRAM GiB |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| baseline | 4.500 | - | 4.500 | 4.600 | - | - | 44.70 | 641 | 100.0 | 5.000 | - |
| fix256_keep_low_kr=0.8 | 4.500 | +15.6 % \[+14.9, +16.3\] | 4.500 | 4.600 | 0.00123 | 97.5 | 44.70 | 333 | 40.0 | 2.000 | - |

| Change vs baseline | Thruput | TPOT | TTFT | PPL | Acc | VRAM |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
| fix256_keep_low_kr=0.8 | -9.2 % \[-9.9, -8.5\] | +15.6 % \[+14.9, +16.3\] | -20.3 % \[-21.9, -18.8\] | +6.5 % \[+4.2, +8.8\] | -0.78 pt \[-1.12, -0.44\] | +0.0 % |

- Times: 95 % intervals, Wilcoxon over 6 rounds
- PPL, Acc: 95 % intervals, block bootstrap over the steps of 1 sample of one book: they say nothing about other books
- Drift: TPOT of the rounds differs by up to 3.1 % from the median

- \* VRAM: NVML does not list this process, so it is the whole GPU's use over its level at the start, other processes included
- ! shared (other processes ran meanwhile): fix256_keep_low_kr=0.8`,
  );
});

Deno.test("formatMarkdown() has as many cells in each line as in the title, whatever names contain", () => {
  fc.assert(fc.property(fc.string({ minLength: 1 }), fc.string(), (name, reason) => {
    const results = inventResults({ baseline: [{}], a: [{}], b: "reason" });
    results.configurations[2]!.name = results.failures[0]!.method = name;
    results.failures[0]!.reason = reason;
    const lines = formatMarkdown(results).split("\n").filter((line) => line.startsWith("|")).slice(0, 5);
    // A pipe is escaped by an odd number of backslashes before it.
    const cells = (line: string) => line.replaceAll(/\\[^]/g, "").split("|").length;
    assert.deepEqual(lines.map(cells), lines.map(() => cells(lines[0]!)));
  }));
});

Deno.test("formatResults() shows no control characters in any format", () => {
  const results = inventResults({ baseline: [{}], "a\x1b[2Jb\u202e": "failed\x07" });
  for (const format of FORMATS) {
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(formatResults(results, format, {}), /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/, format);
  }
  assert.deepEqual(JSON.parse(formatResults(results, "json", {})).config, results.config);
});
