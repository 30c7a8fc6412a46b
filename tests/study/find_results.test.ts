/** Which results.json are found below some paths. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import { join } from "@std/path";
import { findResultFiles, findResults } from "../../lib/study/find_results.ts";
import { InputError } from "../../lib/util/errors.ts";
import { inventResults } from "../report/_invent.ts";

/** Writes a results.json into each of some folders, below a temporary one. */
async function folderWith(places: readonly string[], others: readonly string[] = []): Promise<string> {
  const folder = await Deno.makeTempDir();
  const results = JSON.stringify(inventResults({ baseline: [{}] }));
  for (const place of places) {
    await Deno.mkdir(join(folder, place), { recursive: true });
    await Deno.writeTextFile(join(folder, place, "results.json"), results);
  }
  for (const other of others) await Deno.writeTextFile(join(folder, other), "{}");
  return folder;
}

Deno.test("findResults() finds runs and finished cells, each once, but not what a sweep works on", async () => {
  const folder = await folderWith(
    ["runs/a", "runs/b/deep", "runs/jobs", "sweep/cells/1", "sweep/jobs/1", "sweep/claims/1", "sweep/failed/jobs"],
    ["sweep/plan.json", "runs/note.json"],
  );
  const found = ["runs/a", "runs/b/deep", "runs/jobs", "sweep/cells/1", "sweep/failed/jobs"].map((place) =>
    join(folder, place, "results.json")
  );
  deepEqual(await findResultFiles([folder]), found);
  // The same file by several ways is one; a file may be named itself.
  deepEqual(await findResultFiles([join(folder, "runs"), folder, found[0]!]), found);
  deepEqual(await findResultFiles([found[1]!]), [found[1]]);
  const [first] = await findResults([join(folder, "runs")]);
  equal(first!.file, found[0]);
  equal(first!.results.configurations[0]!.name, "baseline");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("findResults() says which path holds no results", async () => {
  const folder = await folderWith(["a"]);
  await Deno.mkdir(join(folder, "empty"));
  await rejects(findResultFiles([folder, join(folder, "gone")]), {
    name: "InputError",
    message: `Cannot read ${join(folder, "gone")}: there is no such file or folder`,
  });
  await rejects(
    findResultFiles([folder, join(folder, "empty")]),
    /^InputError: Cannot find results in .*empty: there is no/,
  );
  await Deno.writeTextFile(join(folder, "a/results.json"), "{");
  await rejects(findResults([folder]), InputError);
  await Deno.remove(folder, { recursive: true });
});
