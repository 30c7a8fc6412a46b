import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { launchersOf, type Process } from "../../lib/process/launchers.ts";

/** Command lines of each kind of process. */
const COMMANDS = {
  task: [["deno", "task", "bench"], ["/root/.deno/bin/deno", "task", "--config", "/x/deno.json", "bench"], [
    "node",
    "/x/node_modules/.bin/deno",
    "task",
    "bench",
  ]],
  npm: [["npm exec deno@2.9.6 task bench"], ["npm run bench"], ["node", "/usr/bin/npx", "deno@2.9.6", "task", "bench"]],
  shell: [["sh", "-c", "deno task bench"], ["/bin/bash", "-c", "deno task bench"]],
  other: [["bash"], ["-bash"], ["node", "server.js"], ["sshd: me"], ["deno", "test"], ["/sbin/init"], ["systemd"]],
} as const;
type Kind = keyof typeof COMMANDS;

const process = (kind: Kind) => fc.constantFrom(...COMMANDS[kind]).map((command) => ({ kind, command }));
const launcher = fc.oneof(process("task"), process("npm"), process("shell"));
const anyProcess = fc.oneof(launcher, process("other"));

/** A chain of processes from the benchmark up to the system's first one; each is the parent of the one before. */
const row = fc.tuple(fc.array(launcher, { maxLength: 5 }), process("other"), fc.array(anyProcess, { maxLength: 4 }));

function look(commands: readonly (readonly string[])[], first = 100): (pid: number) => Process | undefined {
  return (pid) => {
    const command = commands[first - pid];
    return command && { pid, parent: pid - 1, startedAt: `${pid}`, command };
  };
}

Deno.test("launchersOf() finds those above in one piece, up to the last that waits for another", () => {
  fc.assert(fc.property(row, ([near, between, above]) => {
    const kinds = near.map(({ kind }) => kind);
    const commands = [
      ["deno", "run"],
      ...near.map(({ command }) => command),
      between.command,
      ...above.map((p) => p.command),
    ];
    const found = launchersOf(100, look(commands));
    // A shell counts if a launcher is above it.
    const last = kinds.findLastIndex((kind) => kind !== "shell");
    if (found === undefined) equal(last, -1, "only where there is no launcher at all is one lost");
    else deepEqual(found.map(({ pid }) => pid), near.slice(0, last + 1).map((_, i) => 99 - i));
  }));
});

Deno.test("launchersOf() tells that one was lost by who has its children now", () => {
  const adopters = [["/sbin/init"], ["/lib/systemd/systemd", "--user"]] as const;
  const task = ["deno", "task", "bench"], npm = ["npm exec deno task bench"], sh = ["sh", "-c", "deno task bench"];
  for (const adopter of adopters) {
    equal(launchersOf(100, look([["deno", "run"], adopter])), undefined);
    equal(launchersOf(100, look([["deno", "run"], task, adopter]), true), undefined);
    equal(launchersOf(100, look([["deno", "run"], task, sh, adopter]), true), undefined);
    // A service may start `deno task` itself
    equal(launchersOf(100, look([["deno", "run"], task, adopter]))?.length, 1);
    equal(launchersOf(100, look([["deno", "run"], task, sh, npm, adopter]), true)?.length, 3);
  }
  // The first process of a container, whatever its name
  equal(launchersOf(2, look([["deno", "run"], ["tini"]], 2)), undefined);
  // It may be the task itself.
  equal(launchersOf(2, look([["deno", "run"], task], 2))?.length, 1);
  // Ended before the check
  equal(launchersOf(100, look([])), undefined);
  // A user's shell started it, although variables say otherwise
  deepEqual(launchersOf(100, look([["deno", "run"], ["bash"], ["sshd: me"]])), []);
  ok(launchersOf(100, look([["deno", "run"], ["bash"], ["sshd: me"]]), true));
});
