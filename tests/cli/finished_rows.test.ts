/** Rows are handed on once, the baseline first. */
import { deepEqual } from "node:assert/strict";
import { FinishedRows } from "../../lib/cli/finished_rows.ts";
import { inventResults } from "../report/_invent.ts";

function record() {
  const names: string[] = [];
  return { names, rows: new FinishedRows((_, name) => names.push(name)) };
}

Deno.test("FinishedRows holds rows back until the baseline has ended, and prints the rest at the end", () => {
  const { names, rows } = record();
  rows.add(inventResults({ baseline: "", tova: [{}], h2o: "" }), "tova");
  deepEqual(names, []);
  rows.add(inventResults({ baseline: [{}], tova: [{}], h2o: "" }), "baseline");
  deepEqual(names, ["baseline", "tova"]);
  rows.end(inventResults({ baseline: [{}], tova: [{}], h2o: "killed" }));
  deepEqual(names, ["baseline", "tova", "h2o"]);
});

Deno.test("FinishedRows waits for no baseline that is not there or has failed", () => {
  const { names, rows } = record();
  rows.add(inventResults({ tova: [{}], h2o: "" }), "tova");
  deepEqual(names, ["tova"]);
  const failed = record();
  failed.rows.add(inventResults({ baseline: "killed", tova: [{}] }), "tova");
  deepEqual(failed.names, ["tova"]);
});
