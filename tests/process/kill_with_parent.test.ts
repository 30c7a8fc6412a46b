import { deepEqual, equal } from "node:assert/strict";
import { join } from "@std/path";
import { project, TemporaryFolder } from "../bench/_bench.ts";
import { Session } from "../bench/_session.ts";

const ignore = Deno.build.os !== "linux";
const util = new URL("../../lib/process/", import.meta.url).href;

/** Starts a parent that starts a child and waits for it; `work` is the child's code. */
async function family(folder: TemporaryFolder, work: string): Promise<Session> {
  const [parent, child] = [join(folder.path, "parent.ts"), join(folder.path, "child.ts")];
  await Deno.writeTextFile(
    parent,
    `import { spawnDeno } from "${util}deno_child.ts";
     const child = spawnDeno({ script: ${JSON.stringify(`file://${child}`)}, permissions: ["--allow-all"] });
     child.stdout.pipeTo(Deno.stderr.writable);
     await child.status;`,
  );
  await Deno.writeTextFile(
    child,
    `import { endWithParent } from "${util}end_with_parent.ts";
     import { killWithParent } from "${util}kill_with_parent.ts";
     const libc = Deno.dlopen("libc.so.6", { sleep: { parameters: ["u32"], result: "u32" } });
     ${work}`,
  );
  return new Session(Deno.execPath(), ["run", "--allow-all", "--config", join(project, "deno.json"), parent]);
}

for (const signal of ["SIGKILL", "SIGTERM", "SIGHUP"] as const) {
  Deno.test(
    `killWithParent() ends a process that is in native code when its parent gets ${signal}`,
    { ignore },
    async () => {
      await using folder = new TemporaryFolder();
      await using run = await family(folder, `killWithParent(); console.log("asleep"); libc.symbols.sleep(60);`);
      await run.said(/asleep/);
      Deno.kill(run.pid, signal);
      deepEqual(await run.left(), []);
    },
  );
}

Deno.test("endWithParent() ends a process that waits", { ignore }, async () => {
  await using folder = new TemporaryFolder();
  await using run = await family(
    folder,
    `endWithParent(); console.log("waits"); await new Promise((r) => setTimeout(r, 60_000));`,
  );
  await run.said(/waits/);
  Deno.kill(run.pid, "SIGKILL");
  deepEqual(await run.left(), []);
});

for (const way of ["killWithParent", "endWithParent"] as const) {
  Deno.test(`${way}() ends a process whose parent is gone by then`, { ignore }, async () => {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `const { ${way} } = await import("${util}${
          way === "killWithParent" ? "kill" : "end"
        }_with_parent.ts"); ${way}(1e9); await new Promise((r) => setTimeout(r, 9000));`,
      ],
      stderr: "null",
    }).output();
    equal(code, 1);
  });
}
