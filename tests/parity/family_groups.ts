/** Models and exports of `deno task parity cpu|cuda families`, each in a separate process: a crash is one failure. */
import { fromFileUrl } from "@std/path";
import { denoProgram, projectFlags } from "../../lib/process/deno_child.ts";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import { exportOutcomes, EXPORTS } from "./export_parity.ts";
import { FAMILIES, familyOutcomes } from "./family_parity.ts";
import { Tally } from "./outcome.ts";

/** What `families` can select: each model, and each export. */
export const GROUPS: readonly string[] = [...FAMILIES, ...Object.keys(EXPORTS)];

/** The longest that a group may take, ms. */
const PATIENCE = 120_000;
/** Processors for each process. */
const SHARE = 4;
/** Permissions of a process that checks a group. */
const CHILD = ["--no-prompt", "--allow-read", "--allow-write", "--allow-env", "--allow-ffi", "--allow-sys"];

/** Runs a group's checks in this process and prints a line for each. */
export async function runGroup(device: "cuda" | "cpu", group: string): Promise<Tally> {
  const runtime = openRuntime(device);
  const cpu = device === "cpu" ? runtime : openRuntime("cpu");
  const tally = new Tally();
  const outcomes = FAMILIES.includes(group) ? familyOutcomes(runtime, cpu, group) : exportOutcomes(runtime, cpu, group);
  for await (const outcome of outcomes) console.log(tally.add(outcome));
  return tally;
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Runs a group in a process of this file alone, which may not start others. */
async function inChild(device: string, group: string): Promise<Deno.CommandOutput> {
  const args = ["run", ...CHILD, ...projectFlags(), fromFileUrl(import.meta.url), device, group];
  return await new Deno.Command(denoProgram(), { args, signal: AbortSignal.timeout(PATIENCE) }).output();
}

/** Runs groups in separate processes, a few at a time, and prints what each printed, in order. */
export async function runGroups(device: "cuda" | "cpu", groups: readonly string[]): Promise<Tally> {
  const tally = new Tally();
  const waiting = [...groups.entries()];
  const ends = groups.map(() => Promise.withResolvers<Deno.CommandOutput | Error>());
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [i, group] = next;
      await inChild(device, group).then(ends[i]!.resolve, ends[i]!.resolve);
    }
  };
  const workers = Array.from({ length: Math.max(1, Math.floor(navigator.hardwareConcurrency / SHARE)) }, work);
  for (const [i, group] of groups.entries()) {
    const end = await ends[i]!.promise;
    const [out, log] = end instanceof Error
      ? ["", String(end)]
      : [end.stdout, end.stderr].map(textOf) as [string, string];
    const lines = out.split("\n").filter((line) => line !== "");
    const summary = lines.at(-1)?.match(/^\d+ passed, \d+ failed, /);
    if (summary) lines.pop();
    if (lines.length > 0) console.log(lines.join("\n"));
    const counted = lines.filter((line) => tally.addLine(line)).length;
    if (summary && counted > 0) continue;
    const code = end instanceof Error ? "" : ` with code ${end.code}`;
    const text = `its process ended${code} after that; ${log.trimEnd().split("\n").slice(-12).join("\n")}`;
    console.log(tally.add({ name: group, verdict: "failed", text }));
  }
  await Promise.all(workers);
  return tally;
}

if (import.meta.main) {
  const [device, group] = Deno.args;
  if (!GROUPS.includes(group!)) throw new TypeError(`Cannot check ${group}: there is no such group`);
  const { summary } = await runGroup(device === "cuda" ? "cuda" : "cpu", group!);
  console.log(summary);
}
