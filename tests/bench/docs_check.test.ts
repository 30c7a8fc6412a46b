/** `deno task docs:check`: each fault is planted in copies of the real pages. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "@std/path";
import config from "../../deno.json" with { type: "json" };
import { faultsOf, README_BYTES } from "../../bench/tools/docs/faults.ts";
import { withFlagTables } from "../../bench/tools/docs/flag_tables.ts";
import { type Pages, readPages } from "../../bench/tools/docs/pages.ts";
import { roomsOf } from "../../bench/tools/docs/rooms.ts";
import { project, taskArguments } from "./_bench.ts";

const pages = readPages(project);
const page = (path: string) => pages.get(path)!;
const rooms = roomsOf(page("docs/architecture.md"));

/** A file for each room, enough to check the list of rooms. */
const sources = rooms.map((room) => room.endsWith(".ts") ? room : `${room}/a.ts`);

function exists(path: string): boolean {
  try {
    return Deno.statSync(join(project, path)) !== undefined;
  } catch {
    return false;
  }
}

/** Returns the faults of the pages after one of them is changed. */
function faultsWith(path: string, change: (text: string) => string): string[] {
  const changed = change(pages.get(path) ?? "");
  ok(changed !== pages.get(path), `nothing is planted in ${path}`);
  const planted: Pages = new Map([...pages, [path, changed]]);
  return faultsOf(planted, { exists, sources });
}

/** Expects exactly one fault. */
function finds(path: string, change: (text: string) => string, fault: RegExp): void {
  const faults = faultsWith(path, change);
  equal(faults.length, 1, faults.join("\n"));
  match(faults[0]!, fault);
}

const adds = (text: string) => (page: string) => `${page}\n${text}\n`;

Deno.test("docs:check finds nothing in the pages as they are", () => {
  deepEqual(faultsOf(pages, { exists, sources }), []);
});

Deno.test("docs:check runs as a task, and rejects unknown flags", async () => {
  const run = async (...args: string[]) => {
    const command = new Deno.Command(Deno.execPath(), {
      args: [...taskArguments("docs:check"), ...args],
      cwd: project,
      env: { NO_COLOR: "1" },
    });
    const { code, stderr } = await command.output();
    return { code, stderr: new TextDecoder().decode(stderr) };
  };
  deepEqual(await run(), { code: 0, stderr: "" });
  deepEqual(await run("--wrte"), { code: 2, stderr: "Cannot read --wrte: the only flag is --write\n" });
  ok(config.tasks.check.command.includes("deno task docs:check"));
});

Deno.test("docs:check finds broken links, by file and by heading", () => {
  finds("README.md", adds("[x](docs/nowhere.md)"), /^README\.md:\d+: no file docs\/nowhere\.md$/);
  finds("docs/gpu.md", adds("![x](results/nowhere.png)"), /^docs\/gpu\.md:\d+: no file docs\/results\/nowhere\.png$/);
  finds("docs/gpu.md", adds("[x](../../outside.md)"), /no file \.\.\/outside\.md$/);
  finds("docs/gpu.md", adds("[x](cli.md#no-such-heading)"), /no heading #no-such-heading in docs\/cli\.md$/);
  finds("docs/cli.md", adds("[x](#no-such-heading)"), /no heading #no-such-heading in docs\/cli\.md$/);
  // A renamed heading breaks the links to it.
  finds("docs/gpu.md", (text) => text.replace("## Slurm", "## Batch"), /^docs\/running\.md:\d+: no heading #slurm in/);
});

Deno.test("docs:check ignores links in code and to other sites", () => {
  deepEqual(faultsWith("docs/gpu.md", adds("```\n[x](nowhere.md)\n```")), []);
  deepEqual(faultsWith("docs/gpu.md", adds("[x](https://example.org/nowhere.md#x)")), []);
});

Deno.test("docs:check finds a page missing from the index", () => {
  finds("docs/new_page.md", adds("# What is new?"), /^docs\/index\.md: no link to docs\/new_page\.md$/);
});

Deno.test("docs:check finds a changed flag, and --write mends it", () => {
  const change = (text: string) => text.replace("| text samples", "| text examples");
  finds("docs/cli.md", change, /^docs\/cli\.md:\d+: differs from the flags; run `deno task docs:check --write`$/);
  equal(withFlagTables(change(page("docs/cli.md"))), page("docs/cli.md"));
  // A missing flag, another default, and no table at all.
  finds("docs/cli.md", (text) => text.replace(/^\| `--seed N`.*\n/m, ""), /differs from the flags/);
  finds("docs/cli.md", (text) => text.replace("`252,508,1020`", "`252,508,1024`"), /differs from the flags/);
  finds("docs/cli.md", (text) => text.replace("<!-- flags of bench -->", ""), /no flags of bench$/);
});

Deno.test("docs:check finds a room missing from the list, and one without files", () => {
  const fault = /^docs\/architecture\.md: lib\/hub\/a\.ts is in no room$/;
  finds("docs/architecture.md", (text) => text.replace(/^lib\/hub .*\n/m, ""), fault);
  const list = (text: string) => text.replace("```rooms\n", "```rooms\nlib/attic   old things\n");
  finds("docs/architecture.md", list, /the room lib\/attic has no files$/);
  ok(
    faultsWith("docs/architecture.md", (text) => text.replace("```rooms", "```text"))[0]!.endsWith("no list of rooms"),
  );
});

Deno.test("docs:check finds tasks and flags that do not exist", () => {
  finds("README.md", adds("`deno task benhc`"), /^README\.md:\d+: no task benhc$/);
  finds("docs/gpu.md", adds("`npx deno@2.9.6 task docter`"), /no task docter$/);
  finds("docs/methods.md", adds("`--recent-sises 3`"), /no flag --recent-sises$/);
  deepEqual(faultsWith("docs/methods.md", adds("`--recent-sizes 3`")), []);
});

Deno.test("docs:check finds a README that is too long for a minute", () => {
  finds("README.md", adds("a".repeat(README_BYTES)), /^README\.md: \d+ bytes, at most 6144 are allowed$/);
});
