import { equal, ok } from "node:assert/strict";
import process from "node:process";
import { allowedCpus } from "../../lib/process/allowed_cpus.ts";
import { HostLoad, otherCores } from "../../lib/run/measure/host_load.ts";

/** Time of each measurement, ms. */
const SPAN = 300;

/** Keeps this thread busy until `ms` of its own CPU time have passed. */
function spin(ms: number): void {
  const cpu = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  for (const start = cpu(); cpu() - start < ms;);
}

/** What others did while this process worked, or slept. */
async function during(work: "spin" | "sleep"): Promise<number> {
  const load = new HostLoad();
  if (work === "spin") spin(SPAN);
  else await new Promise((resolve) => setTimeout(resolve, SPAN));
  const { other_cores, load_average } = load.end();
  ok(load_average >= 0);
  ok(other_cores !== null && other_cores <= navigator.hardwareConcurrency + 0.2, `${other_cores}`);
  return other_cores;
}

/** A process that keeps a core busy, until it is ended, and says how much CPU time it had when asked. */
async function startBusy() {
  const code = `
    import process from "node:process";
    const own = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
    Deno.stdout.writeSync(new Uint8Array([1]));
    for (let last = own(); ;) {
      for (let i = 0; i < 1e6; i++);
      if (own() - last > 10) Deno.stdout.writeSync(new Uint8Array([1])), last += 10;
    }`;
  const child = new Deno.Command(Deno.execPath(), { args: ["eval", code], stdout: "piped", stderr: "null" }).spawn();
  const reader = child.stdout.getReader();
  let ticks = 0;
  const reading = (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      ticks += value.length;
    }
  })();
  while (ticks === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  return {
    /** CPU time so far, ms. */
    get cpu() {
      return 10 * ticks;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await reading;
    },
  };
}

Deno.test("HostLoad counts another process's work, and not this one's", async () => {
  // Other processes of this machine count too, and may come and go. So the least of several measurements is taken, and
  // the busy process is held to the CPU time that it really had.
  const least = { spin: Infinity, sleep: Infinity };
  for (let i = 0; i < 3; i++) {
    for (const work of ["spin", "sleep"] as const) least[work] = Math.min(least[work], await during(work));
  }
  // This process's 300 ms of work are not in it: what it adds is less than half a core.
  ok(least.spin < least.sleep + 0.5, `${least.spin} while this process worked, ${least.sleep} while it slept`);
  await using busy = await startBusy();
  for (let i = 0; i < 3; i++) {
    const load = new HostLoad();
    const cpu = busy.cpu, start = performance.now();
    await new Promise((resolve) => setTimeout(resolve, SPAN));
    const { other_cores } = load.end();
    const had = (busy.cpu - cpu) / (performance.now() - start);
    // The system's counters tick each 10 ms, and the child's reports may arrive late.
    ok(other_cores! > had - 0.25, `${other_cores} cores, of which one process had ${had}`);
  }
});

Deno.test("HostLoad does not count threads of this process", async () => {
  const code =
    `onmessage = () => { const end = performance.now() + ${SPAN}; while (performance.now() < end); close(); };`;
  const least = { threads: Infinity, none: Infinity };
  for (let i = 0; i < 3; i++) {
    least.none = Math.min(least.none, await during("sleep"));
    const worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, { type: "module" });
    worker.postMessage(0);
    least.threads = Math.min(least.threads, await during("sleep"));
    worker.terminate();
  }
  ok(least.threads < least.none + 0.5, `${least.threads} with a busy thread, ${least.none} without`);
});

Deno.test("otherCores() is never negative, and null where it is not known", () => {
  equal(otherCores({ busy: 1500, all: 4000, own: 500, wall: 2000 }), 0.5);
  equal(otherCores({ busy: 480, all: 4000, own: 500, wall: 2000 }), 0);
  equal(otherCores({ busy: 0, all: 0, own: 500, wall: 2000 }), null); // counters that stand still
  equal(otherCores({ busy: 99, all: 198, own: 0, wall: 99 }), null);
});

Deno.test("allowedCpus() knows the cores that taskset leaves", { ignore: Deno.build.os !== "linux" }, async () => {
  equal(allowedCpus()!.size, navigator.hardwareConcurrency);
  const taskset = await new Deno.Command("taskset", { args: ["--version"], stdout: "null", stderr: "null" }).output()
    .catch(() => ({ success: false }));
  if (!taskset.success) return;
  const [cpu] = [...allowedCpus()!].slice(-1);
  const script = `import { allowedCpus } from ${
    JSON.stringify(new URL("../../lib/process/allowed_cpus.ts", import.meta.url).href)
  }; console.log(...allowedCpus());`;
  const { stdout } = await new Deno.Command("taskset", {
    args: ["-c", String(cpu), Deno.execPath(), "eval", "--no-check", script],
    stderr: "null",
  }).output();
  equal(new TextDecoder().decode(stdout).trim(), String(cpu));
});

Deno.test("allowedCpus() is null without permission", async () => {
  const script = new URL("../../lib/process/allowed_cpus.ts", import.meta.url).href;
  const code = `import { allowedCpus } from ${JSON.stringify(script)}; console.log(allowedCpus());`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", `--allow-import`, `data:text/javascript,${encodeURIComponent(code)}`],
    stderr: "null",
  }).output();
  equal(new TextDecoder().decode(stdout).trim(), "null");
});
