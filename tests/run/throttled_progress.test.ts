import { deepEqual, ok } from "node:assert/strict";
import type { ChildEvent } from "../../lib/run/child/protocol.ts";
import { throttled } from "../../lib/run/measure/throttled_progress.ts";

Deno.test("throttled() reports the begin and the end of each sample's phases, and little in between", () => {
  const events: ChildEvent[] = [];
  const report = throttled((event) => events.push(event));
  report("load", 0, 0, 1);
  for (const phase of ["speed", "quality"] as const) {
    for (const sample of [0, 1, 2]) {
      for (let done = 0; done <= 1000; done++) {
        report(phase, sample, done, 1000, phase === "quality" ? done : undefined);
      }
    }
  }
  const ends = events.flatMap((event) =>
    event.type === "progress" && (event.done === 0 || event.done === event.total)
      ? [`${event.phase} ${event.sample} ${event.done}`]
      : []
  );
  deepEqual(ends, [
    "load 0 0",
    ...["speed", "quality"].flatMap((phase) => [0, 1, 2].flatMap((n) => [`${phase} ${n} 0`, `${phase} ${n} 1000`])),
  ]);
  // All of it takes a few ms.
  ok(events.length < 100, `${events.length}`);
  deepEqual(events.at(-1), {
    type: "progress",
    phase: "quality",
    sample: 2,
    done: 1000,
    total: 1000,
    perplexity: 1000,
  });
});
