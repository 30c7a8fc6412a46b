import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { loadCanvas } from "../../lib/report/charts/canvas.ts";
import { drawSpeedup, speedupAxis, speedupLines } from "../../lib/report/charts/speedup_chart.ts";
import { type SpeedupResults, speedupResults } from "../../lib/report/results/speculative_reader.ts";

const row = (draft: string, gamma: number, length: number, estimate: number) => ({
  name: `${draft} gamma ${gamma}`,
  draft,
  length,
  speedup: { estimate, low: estimate * 0.9, high: estimate * 1.1, confidence: 0.95 },
});

const results: SpeedupResults = {
  schema: "speculative 1",
  config: {
    model_id: "org/name",
    device: "cpu",
    dtype: "float32",
    workload: "text",
    max_new_tokens: 64,
    temperature: 0,
  },
  rows: [
    { name: "plain", draft: null, length: 128, speedup: null },
    row("ngram", 2, 512, 1.4),
    row("ngram", 4, 512, 1.6),
    row("ngram", 2, 128, 1.1),
    row("ngram", 4, 128, 0.9),
    row("self:tova:64", 4, 128, 0.5),
    row("self:tova:64", 4, 512, 0.8),
  ],
};

Deno.test("a draft's line has its best gamma at each length, in order", () => {
  const lines = speedupLines(results.rows);
  deepEqual(lines.map(({ label }) => label), ["ngram", "self:tova:64"]);
  deepEqual(lines[0]!.points.map(({ x, y }) => [x.value, y.value]), [[128, 1.1], [512, 1.6]]);
  // A self-draft has its method's colour.
  equal(lines[1]!.look.color, "#882255");
  ok(lines[0]!.look.color !== lines[1]!.look.color);
});

Deno.test("intervals that are far wider than the figures do not decide about the axis", () => {
  const axis = speedupAxis([{ value: 1.5, low: 0.01, high: 90 }, { value: 0.8 }]);
  ok(axis.min >= 0 && axis.min < 0.8 && axis.max > 1.5 && axis.max < 3, JSON.stringify(axis));
  const whole = speedupAxis([{ value: 1.5, low: 1.4, high: 1.6 }]);
  ok(whole.min < 1 && whole.max > 1.6);
});

Deno.test("the picture is drawn from what results.json holds", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/speedup_over_context.png`;
    const read = speedupResults(JSON.parse(JSON.stringify(results)), "");
    await drawSpeedup(read, path, await loadCanvas());
    const bytes = await Deno.readFile(path);
    const size = new DataView(bytes.buffer);
    deepEqual([size.getUint32(16), size.getUint32(20)], [4200, 2520]);
    const svg = await Deno.readTextFile(`${folder}/speedup_over_context.svg`);
    for (const text of ["ngram", "self:tova:64", "Context (tokens)", "Speed-up over plain decoding"]) {
      ok(svg.includes(text), text);
    }
    await rejects(drawSpeedup({ ...results, rows: [] }, path, await loadCanvas()), RangeError);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
