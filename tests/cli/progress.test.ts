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
    pass: "quality",
    rounds: 6,
    share: 0.5,
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
  // A round has a process for each configuration: their turns are no beginnings.
  for (const [configuration, index] of [["streaming_256", 1], ["baseline", 0]] as const) {
    const speed = { pass: "speed", round: 2, configuration, index } as const;
    progress.update(event("load", 0, 0, speed));
    progress.update(event("warmup", 0, 3, speed));
    for (let done = 0; done <= 500; done++) {
      progress.update(event("speed", done, 500, speed));
      wait(25);
    }
  }
  progress.update(event("speed", 0, 500, { pass: "speed", round: 3 }));
  progress.update(event("load", 0, 0));
  progress.update(event("quality", 0, 2000));
  progress.update(event("quality", 1, 2000, { sample: 1, perplexity: 43.117 }));
  wait(12_000);
  progress.log("A note");
  progress.update(event("quality", 700, 2000, { sample: 1, perplexity: 43.117 }));
  progress.close();
  const lines = text().split("\n");
  assert.deepEqual(lines.map((line) => line.replace(/, about .* left$/, ", about … left")), [
    "round 3/6: speed of 3 configurations",
    "round 3/6: speed of 3 configurations, 400/500 tokens, about … left",
    "round 3/6: speed of 3 configurations, 299/500 tokens, about … left",
    "round 4/6: speed of 3 configurations",
    "[2/3] streaming_256: load",
    "[2/3] streaming_256, sample 1/2: quality",
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
  progress.update(event("quality", 1, 10));
  progress.update(event("speed", 1, 10, { pass: "speed", round: 0 }));
  progress.close();
  assert.ok(text().includes("[2/3] \x1b[1mstreaming_256\x1b[22m, sample 1/2: quality"));
  assert.ok(text().includes("round 1/6, \x1b[1mstreaming_256\x1b[22m: speed"));
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

Deno.test("TimeLeft takes the rest of the run to be as fast as what is done", () => {
  const left = new TimeLeft();
  assert.equal(left.update({ share: 0.2 }, 10), undefined);
  assert.equal(left.update({ share: 0.25 }, 70), 180);
  assert.equal(left.update({ share: 0.5 }, 110), 100);
  assert.equal(left.update({ share: 1 }, 200), 0);
});

Deno.test("TimeLeft gives no estimate too early", () => {
  const left = new TimeLeft();
  assert.equal(left.update({ share: 0 }, 0), undefined);
  assert.equal(left.update({ share: 0 }, 100), undefined);
  assert.equal(left.update({ share: 0.009 }, 100), undefined);
  assert.equal(new TimeLeft().update({ share: 0.5 }, 100), undefined);
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
