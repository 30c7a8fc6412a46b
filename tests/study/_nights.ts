/** Invented nights: results.json files of one machine whose speed changes from night to night. */
import { join } from "@std/path";
import { writeResults } from "../../lib/report/results/results_file.ts";
import { median } from "../../lib/report/results/stats.ts";
import type { BenchmarkResults } from "../../lib/report/results/types.ts";
import { seededRandom } from "../../lib/util/random.ts";
import { inventInterval, inventResults, inventRun } from "../report/_invent.ts";

/** What the machine and the software do. Standard deviations are of logarithms. */
export interface NightsWorld {
  /** Configurations next to the baseline. */
  readonly rows: number;
  /** Rounds of a night. */
  readonly rounds: number;
  /** Of one process. */
  readonly noise: number;
  /** Of the host from night to night, the same for all rows of a night. */
  readonly drift: number;
  /** Of the host from round to round, the same for all rows of a round. */
  readonly roundDrift: number;
  /** Of a row from night to night: what the host's state does to one row more than to another. */
  readonly rowDrift: number;
  /** Share of processes that something else on the host slows down, by 5 to 50 %. */
  readonly disturbed: number;
  /** Chance that the code changed since the night before; likelihoods then differ by rounding. */
  readonly commits: number;
}

/** A machine of a shared cluster. */
export const WORLD: NightsWorld = {
  rows: 7,
  rounds: 3,
  noise: 0.01,
  drift: 0.05,
  roundDrift: 0.01,
  rowDrift: 0.003,
  disturbed: 0,
  commits: 0.5,
};

/** A change in one night: logarithms that are added. */
export interface Planted {
  readonly night: number;
  /** Index of the row, from 1; "all" with the baseline. */
  readonly row: number | "all";
  readonly tpot: number;
  readonly perplexity: number;
}

const STEPS = 48;
const SAMPLES = 2;

/** Makes the results of some nights, one after another. */
export function inventNights(seed: number, count: number, world: NightsWorld, planted?: Planted): BenchmarkResults[] {
  const random = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const names = ["baseline", ...Array.from({ length: world.rows }, (_, i) => `streaming_${64 * (i + 1)}`)];
  // A row's own speed and losses, the same in every night.
  const speeds = names.map((_, row) => Math.log(0.004) + (row === 0 ? 0 : 0.1 * normal()));
  const losses = names.map(() =>
    Array.from({ length: SAMPLES }, () => Array.from({ length: STEPS }, () => 3 + normal()))
  );
  let code = 0;
  return Array.from({ length: count }, (_, night) => {
    // What is planted comes with a commit, and goes with another.
    const mustChange = planted !== undefined && (night === planted.night || night === planted.night + 1);
    if (random() < world.commits || mustChange) code++;
    const isPlanted = (row: number) => planted?.night === night && (planted.row === "all" || planted.row === row);
    const host = world.drift * normal();
    const rounds = Array.from({ length: world.rounds }, () => world.roundDrift * normal());
    const runs = names.flatMap((name, row) => {
      const own = speeds[row]! + host + world.rowDrift * normal();
      return rounds.map((state, round) => {
        const log = () =>
          own + state + world.noise * normal() + (random() < world.disturbed ? Math.log(1.05 + 0.45 * random()) : 0);
        const tpot = Math.exp(log() + (isPlanted(row) ? planted!.tpot : 0));
        return inventRun(name, {
          round,
          place: row,
          sample: round % SAMPLES,
          tpot,
          ttft: 40 * Math.exp(log()),
          step_times_s: [tpot],
        });
      });
    });
    const nll = names.map((_, row) =>
      losses[row]!.map((sample, s) => {
        // A change differs from step to step; its mean is what was planted.
        const parts = sample.map((_, i) => 1 + 4 * Math.sin(i + s));
        const scale = sample.length / parts.reduce((a, b) => a + b, 0);
        const change = isPlanted(row) ? planted!.perplexity * scale : 0;
        return sample.map((value, i) => value + change * parts[i]! + 1e-7 * Math.sin(code * (i + 1)));
      })
    );
    const results = inventResults(
      Object.fromEntries(names.map((name, row) => {
        const own = runs.filter(({ method }) => method === name);
        return [
          name,
          nll[row]!.map((steps) => ({
            nll: steps,
            perplexity: Math.exp(steps.reduce((a, b) => a + b, 0) / steps.length),
            tpot: median(own.map(({ tpot }) => tpot)),
            ttft: median(own.map(({ ttft }) => ttft)),
            right: steps.map(() => 1),
            step_times_s: [],
            ...(row === 0 ? {} : {
              divergence: {
                kl: steps.map((value) => Math.abs(value - 3) / 100),
                token_probability: steps.map(() => 0),
                same_top: steps.map(() => 1),
                first: 0,
                stride: 1,
              },
            }),
          })),
        ];
      })),
      {
        device: "cpu",
        dtype: "float32",
        repetitions: world.rounds,
        passes: "both",
        texts: 1,
        timestamp: stampOf(night),
      },
    );
    const others = names.slice(1);
    return {
      ...results,
      environment: {
        ...results.environment,
        host: "node1",
        time_zone: "UTC",
        git_commit: code.toString(16).padStart(40, "a"),
        code_sha256: code.toString(16).padStart(64, "0"),
      },
      schema: 2,
      speed_runs: runs,
      divergence: Object.fromEntries(others.map((name, i) => {
        const kl = nll[i + 1]!.flat().map((value) => Math.abs(value - 3) / 100);
        const mean = kl.reduce((a, b) => a + b, 0) / kl.length;
        const spread = { median_kl: mean, p99_kl: mean, max_kl: mean, rms_token_probability: 0, steps: kl.length };
        return [name, { mean_kl: inventInterval(mean, mean, mean), same_top: inventInterval(1, 1, 1), ...spread }];
      })),
    };
  });
}

/** Night 0 is that of 1 November 2026; runs begin at two in the morning. */
function stampOf(night: number): string {
  const date = new Date(Date.UTC(2026, 10, 2 + night));
  return `${date.toISOString().slice(0, 10).replaceAll("-", "")}_020000`;
}

/** Writes each night's results into a folder of its own, and returns the folders. */
export async function writeNights(folder: string, nights: readonly BenchmarkResults[]): Promise<string[]> {
  const folders = nights.map((_, night) => join(folder, `night_${String(night + 1).padStart(2, "0")}`));
  for (const [night, results] of nights.entries()) {
    await Deno.mkdir(folders[night]!, { recursive: true });
    await writeResults(folders[night]!, results);
  }
  return folders;
}
