/**
 * `deno task aa`: measures equal things against each other and tells how often their intervals hold "no difference". From
 * the same measurements it plants a slow-down and tells how often that is found.
 *
 *     deno task aa --comparisons 40 --repetitions 6 --slower 1.1 --busy 2
 *
 * `--busy N` keeps N cores busy meanwhile, as other users of a machine do.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { methods } from "../../lib/policies/registry.ts";
import type { Interval, SpeedRun } from "../../lib/report/results/spread_types.ts";
import { compareTimes } from "../../lib/report/statistics/time_comparison.ts";
import { runBenchmark } from "../../lib/run/benchmark.ts";

const TIMES = ["ttft", "tpot", "throughput"] as const;

/** A comparison of the full cache with itself, as measured and with the second one slower. */
interface Outcome {
  readonly runs: readonly SpeedRun[];
  readonly equal: Record<typeof TIMES[number], Interval>;
  readonly slower: Record<typeof TIMES[number], Interval>;
}

/** Measures the full cache against itself. */
async function compare(repetitions: number | undefined, seed: number, factor: number): Promise<Outcome> {
  const { results: { speed_runs: runs = [], failures } } = await runBenchmark({
    configurations: ["baseline", "again"].map((name) => ({ name, policy: methods.baseline() })),
    passes: "speed",
    device: "cpu",
    repetitions,
    seed,
    output: null,
  });
  if (failures.length > 0) throw new Error(failures[0]!.reason);
  // A slow-down is planted into the measured times, so that it has the machine's own noise.
  const late = runs.map((run) =>
    run.method === "baseline"
      ? run
      : { ...run, ttft: run.ttft * factor, tpot: run.tpot * factor, throughput: run.throughput / factor }
  );
  const of = (runs: readonly SpeedRun[]) => compareTimes(runs, "again", "baseline")!;
  return { runs, equal: of(runs), slower: of(late) };
}

/** Keeps cores busy until it is disposed of. */
function busy(cores: number): Disposable {
  const scope = new DisposableStack();
  for (let i = 0; i < cores; i++) {
    const process = new Deno.Command(Deno.execPath(), { args: ["eval", "for (;;);"] }).spawn();
    scope.defer(() => process.kill("SIGKILL"));
  }
  return scope;
}

function show({ estimate, low, high }: Interval): string {
  const percent = (ratio: number) => `${((ratio - 1) * 100).toFixed(1)}`;
  return `${percent(estimate)} % [${percent(low)}, ${percent(high)}]`;
}

if (import.meta.main) {
  const args = parseArgs(Deno.args, { string: ["comparisons", "repetitions", "slower", "busy", "seed", "save"] });
  const count = Number(args.comparisons ?? 40), factor = Number(args.slower ?? 1.1), seed = Number(args.seed ?? 1);
  const repetitions = args.repetitions === undefined ? undefined : Number(args.repetitions);
  using _load = busy(Number(args.busy ?? 0));
  const held = { ttft: 0, tpot: 0, throughput: 0 }, found = { ttft: 0, tpot: 0, throughput: 0 };
  for (let i = 0; i < count; i++) {
    const { runs, equal, slower } = await compare(repetitions, seed + i, factor);
    if (args.save !== undefined) await Deno.writeTextFile(args.save, `${JSON.stringify(runs)}\n`, { append: true });
    for (const time of TIMES) {
      if (equal[time].low <= 1 && 1 <= equal[time].high) held[time]++;
      if (time === "throughput" ? slower[time].high < 1 : slower[time].low > 1) found[time]++;
    }
    console.error(`${i + 1}/${count}: TPOT ${show(equal.tpot)}, TTFT ${show(equal.ttft)}`);
  }
  for (const time of TIMES) {
    console.log(
      `${time.padEnd(10)} equal: ${held[time]} of ${count} intervals hold 0; ${
        ((factor - 1) * 100).toFixed(0)
      } % slower: ` +
        `${found[time]} of ${count} found`,
    );
  }
}
