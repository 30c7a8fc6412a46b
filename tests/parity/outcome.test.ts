/** What counts as passed, and what a run's exit code says. */
import { deepEqual, equal, match } from "node:assert/strict";
import { attempt, type Outcome, refused, Tally, within } from "./outcome.ts";

const OK: Outcome = { name: "a", verdict: "passed", text: "" };

/** The exit code after some outcomes. */
function codeOf(...outcomes: readonly Outcome[]): number {
  const tally = new Tally();
  for (const outcome of outcomes) tally.add(outcome);
  return tally.exitCode;
}

Deno.test("only what was compared and is right passes", () => {
  equal(codeOf(OK), 0);
  equal(codeOf(), 1);
  equal(codeOf(OK, refused("b", "its window is short", /window/)), 0);
  equal(codeOf(OK, refused("b", "its window is short", /heads/)), 1);
  equal(codeOf(OK, refused("b", "its window is short", undefined)), 1);
  equal(codeOf(refused("b", "its window is short", /window/)), 1);
  equal(codeOf(OK, { name: "b", verdict: "empty", text: "" }), 1);
  equal(codeOf(OK, attempt("b", () => within(1, {}))), 1);
  equal(codeOf(OK, attempt("b", () => within(1, { x: NaN }))), 1);
  equal(codeOf(OK, attempt("b", () => within(1, { x: 1.1 }))), 1);
  equal(codeOf(OK, attempt("b", () => within(1, { x: 1 }))), 0);
  const thrown = attempt("b", () => {
    throw new Error("no kernel");
  });
  equal(codeOf(OK, thrown), 1);
  match(thrown.text, /no kernel/);
});

Deno.test("a tally read from another's lines has its counts", () => {
  const [ours, theirs] = [new Tally(), new Tally()];
  const outcomes: Outcome[] = [
    OK,
    { ...OK, verdict: "failed" },
    { ...OK, verdict: "empty" },
    refused("b", "no", /no/),
    refused("b", "no", undefined),
  ];
  for (const outcome of outcomes) equal(theirs.addLine(ours.add(outcome)), true);
  equal(theirs.addLine("a line of something else"), false);
  deepEqual(theirs.counts, ours.counts);
  deepEqual(theirs.counts, { passed: 1, failed: 1, refused: 1, empty: 1, unexpected: 1 });
  equal(ours.summary, "1 passed, 1 failed, 1 refused and 1 more unexpectedly, 1 empty");
});
