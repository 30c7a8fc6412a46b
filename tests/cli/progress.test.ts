import assert from "node:assert/strict";
import { createProgress } from "../../lib/cli/progress/progress.ts";
import type { Phase, ProgressEvent } from "../../lib/run/progress_event.ts";
import { formatDuration, TimeLeft } from "../../lib/cli/progress/time_left.ts";

function event(phase: Phase, done: number, total: number, more: Partial<ProgressEvent> = {}): ProgressEvent {
  return {
    type: "progress",
    configuration: "streaming_256",
    index: 1,
    count: 3,
    sample: 0,
    samples: 2,
    phase,
    done,
    total,
    ...more,
  };
}

function record(isTerminal: boolean, columns = 200, color = false) {
  let text = "";
  let time = 0;
  const progress = createProgress({
    isTerminal,
    color,
    write: (more) => text += more,
    columns: () => columns,
    now: () => time,
  });
  return { progress, text: () => text, wait: (ms: number) => time += ms };
}

Deno.test("createProgress() without a terminal writes a line at each beginning and every ten seconds", () => {
  const { progress, text, wait } = record(false);
  progress.update(event("load", 0, 0));
  progress.update(event("warmup", 0, 3));
  progress.update(event("speed", 0, 500));
  for (let done = 1; done <= 500; done++) {
    wait(50);
    progress.update(event("speed", done, 500));
  }
  progress.update(event("quality", 1, 2000, { sample: 1, perplexity: 43.117 }));
  wait(12_000);
  progress.log("A note");
  progress.update(event("quality", 700, 2000, { sample: 1, perplexity: 43.117 }));
  progress.close();
  const lines = text().split("\n");
  assert.deepEqual(lines.map((line) => line.replace(/, about .* left$/, ", about … left")), [
    "[2/3] streaming_256: load",
    "[2/3] streaming_256: warmup",
    "[2/3] streaming_256, sample 1/2: speed",
    "[2/3] streaming_256, sample 1/2: speed, 200/500 tokens, about … left",
    "[2/3] streaming_256, sample 1/2: speed, 400/500 tokens, about … left",
    "[2/3] streaming_256, sample 2/2: quality",
    "A note",
    "[2/3] streaming_256, sample 2/2: quality, 700/2000 tokens, PPL 43.12, about … left",
    "",
  ]);
  assert.ok(!text().includes("\x1b"));
});

Deno.test("createProgress() on a terminal draws one line in place and takes it away", () => {
  const { progress, text, wait } = record(true);
  progress.update(event("quality", 0, 2000));
  wait(200);
  progress.update(event("quality", 1000, 2000, { perplexity: 43.117 }));
  progress.log("A note");
  progress.close();
  assert.ok(
    text().includes("[2/3] streaming_256, sample 1/2: quality  ████████████░░░░░░░░░░░░  1000/2000 tokens  PPL 43.12"),
  );
  // The bar is cleared before the note is written, and drawn again below it.
  assert.ok(text().includes("\x1b[2KA note\n"));
  assert.ok(text().lastIndexOf("1000/2000") > text().indexOf("A note"));
  assert.ok(text().endsWith("\x1b[2K"));
  assert.equal(text().match(/\n/g)?.length, 1);
  assert.ok(!text().includes("\x1b[1m"));
});

Deno.test("createProgress() sets the name off in colour, and not with NO_COLOR", () => {
  const { progress, text } = record(true, 200, true);
  progress.update(event("speed", 1, 10));
  progress.close();
  assert.ok(text().includes("[2/3] \x1b[1mstreaming_256\x1b[22m, sample 1/2: speed"));
});

Deno.test("createProgress() never writes a line wider than the terminal", () => {
  const { progress, text } = record(true, 40);
  progress.update(event("quality", 1000, 2000, { perplexity: 43.117 }));
  progress.close();
  // deno-lint-ignore no-control-regex
  const drawn = text().split(/\x1b(?:\[\d*[A-Z]|[78])/).filter((part) => part !== "");
  assert.ok(drawn.length > 0);
  assert.ok(drawn.every((line) => line.length < 40), drawn.join("\n"));
});

Deno.test("createProgress() takes a hundred thousand events in well under a second", () => {
  for (const isTerminal of [true, false]) {
    const { progress, text, wait } = record(isTerminal);
    const began = performance.now();
    for (let done = 0; done < 100_000; done++) {
      wait(0.01);
      progress.update(event("quality", done, 100_000, { perplexity: 40 }));
    }
    progress.close();
    assert.ok(performance.now() - began < 500);
    assert.ok(text().length < 10_000);
  }
});

Deno.test("TimeLeft counts what is left of all configurations and samples", () => {
  const left = new TimeLeft();
  assert.equal(left.update(event("speed", 0, 500, { index: 0 }), 10), undefined);
  // Half of one of six samples; the quality pass counts as four times this one. So 10 s are a 60th of the run.
  assert.equal(Math.round(left.update(event("speed", 250, 500, { index: 0 }), 20)!), 590);
  // Now the real length of the quality pass is known: 500 of 1000 tokens of one of six samples.
  assert.equal(Math.round(left.update(event("quality", 0, 500, { index: 0 }), 30)!), 220);
  assert.equal(left.update(event("quality", 500, 500, { index: 2, sample: 1 }), 100), 0);
});

Deno.test("TimeLeft gives no estimate too early", () => {
  const left = new TimeLeft();
  assert.equal(left.update(event("load", 0, 0, { index: 0 }), 0), undefined);
  assert.equal(left.update(event("load", 0, 0, { index: 0 }), 100), undefined);
});

Deno.test("formatDuration() is as exact as an estimate", () => {
  assert.deepEqual([0, 59, 59.6, 90, 3600, 4800, 7180].map(formatDuration), [
    "0 s",
    "59 s",
    "1 min",
    "2 min",
    "1 h",
    "1 h 20 min",
    "2 h",
  ]);
});
