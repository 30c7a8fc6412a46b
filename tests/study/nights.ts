/**
 * `deno task nights`: simulates series of 30 nights, plants a change of 10 % in TPOT and of 0.1 % in perplexity in one of
 * them, and tells how often it is found and how often another night raises an alarm. Nights are results.json files, and
 * are read and compared as `deno task nightly` does.
 *
 *     deno task nights --series 100 --drift 0.1 --noise 0.01 --disturbed 0.02 --window 7
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { compareSets } from "../../lib/study/compare/compare_sets.ts";
import { compareWithNights } from "../../lib/study/compare/compare_nights.ts";
import type { ComparisonOfSets } from "../../lib/study/compare/types.ts";
import { findResults, type FoundResults } from "../../lib/study/find_results.ts";
import { seededRandom } from "../../lib/util/random.ts";
import { inventNights, type NightsWorld, type Planted, WORLD, writeNights } from "./_nights.ts";

const NIGHTS = 30;

/** How a way of comparing did over all series. */
interface Tally {
  tpot: number;
  perplexity: number;
  /** Nights other than the planted one with an alarm, and how many there were. */
  falseNights: number;
  nights: number;
  /** Series in which no other night raised an alarm. */
  quietSeries: number;
  /** Alarms of other cells or metrics in the planted night. */
  beside: number;
}

const emptyTally = (): Tally => ({ tpot: 0, perplexity: 0, falseNights: 0, nights: 0, quietSeries: 0, beside: 0 });

/** Alarms of a night, as `NAME METRIC`. */
function alarmsOf({ cells }: ComparisonOfSets): string[] {
  return cells.flatMap(({ terms, metrics, is_reproducible }) => [
    ...metrics.filter(({ verdict }) => verdict === "worse").map(({ metric }) => `${terms.name} ${metric}`),
    ...is_reproducible === false ? [`${terms.name} reproducibility`] : [],
  ]);
}

/** Compares each night of a series, and adds to the tally. */
function judgeSeries(
  nights: readonly FoundResults[][],
  planted: Planted,
  compare: (earlier: readonly FoundResults[][], tonight: readonly FoundResults[]) => ComparisonOfSets,
  { window, tally }: { readonly window: number; readonly tally: Tally },
): void {
  const isPlanted = (alarm: string, metric: string) =>
    alarm.endsWith(` ${metric}`) &&
    (planted.row === "all" || alarm.startsWith(`streaming_${64 * planted.row} `));
  let isQuiet = true;
  for (let night = 1; night < NIGHTS; night++) {
    const alarms = alarmsOf(compare(nights.slice(Math.max(0, night - window), night), nights[night]!));
    if (night === planted.night) {
      if (alarms.some((alarm) => isPlanted(alarm, "tpot"))) tally.tpot++;
      if (alarms.some((alarm) => isPlanted(alarm, "perplexity"))) tally.perplexity++;
      // What is planted in all rows shows in the tokens' distance from the full cache too: it is no false alarm.
      if (
        alarms.some((alarm) => !isPlanted(alarm, "tpot") && !isPlanted(alarm, "perplexity") && !isPlanted(alarm, "kl"))
      ) {
        tally.beside++;
      }
      continue;
    }
    tally.nights++;
    if (alarms.length > 0) {
      tally.falseNights++;
      isQuiet = false;
    }
  }
  if (isQuiet) tally.quietSeries++;
}

function show(title: string, tally: Tally, series: number): string {
  const share = (count: number, of: number) => `${count}/${of}`.padStart(9);
  return `${title.padEnd(34)}${share(tally.tpot, series)} ${share(tally.perplexity, series)} ` +
    `${share(tally.falseNights, tally.nights)} ${share(tally.quietSeries, series)} ${share(tally.beside, series)}`;
}

if (import.meta.main) {
  const numbers = [
    "series",
    "seed",
    "rows",
    "rounds",
    "noise",
    "drift",
    "round_drift",
    "row_drift",
    "disturbed",
    "window",
  ];
  const args = parseArgs(Deno.args, { string: [...numbers, "slower", "worse"] });
  const number = (name: string, fallback: number) => args[name] === undefined ? fallback : Number(args[name]);
  const series = number("series", 100), seed = number("seed", 1);
  // Earlier nights that a night is compared with.
  const window = number("window", 7);
  const world: NightsWorld = {
    ...WORLD,
    rows: number("rows", WORLD.rows),
    rounds: number("rounds", WORLD.rounds),
    noise: number("noise", WORLD.noise),
    drift: number("drift", WORLD.drift),
    roundDrift: number("round_drift", WORLD.roundDrift),
    rowDrift: number("row_drift", WORLD.rowDrift),
    disturbed: number("disturbed", WORLD.disturbed),
  };
  const change = { tpot: Math.log1p(number("slower", 0.1)), perplexity: Math.log1p(number("worse", 0.001)) };
  console.log(
    `${series} series of ${NIGHTS} nights, ${world.rows} rows of ${world.rounds} rounds; per process ${
      world.noise * 100
    } %, host from night to night ${world.drift * 100} %, round to round ${
      world.roundDrift * 100
    } %, row from night to night ${(world.rowDrift * 100).toFixed(1)} %, disturbed ${world.disturbed * 100} %`,
  );
  console.log(
    `${"".padEnd(34)}${["TPOT", "PPL", "false", "quiet", "beside"].map((title) => title.padStart(9)).join(" ")}`,
  );
  const folder = await Deno.makeTempDir({ prefix: "kvcompress_nights_" });
  try {
    for (const where of ["one row", "all rows"] as const) {
      const [byNights, byLast] = [emptyTally(), emptyTally()];
      for (let index = 0; index < series; index++) {
        const random = seededRandom(seed * 1000 + index);
        const night = window + Math.floor(random() * (NIGHTS - window));
        const row = where === "one row" ? 1 + Math.floor(random() * world.rows) : "all";
        const planted: Planted = { night, row, ...change };
        const folders = await writeNights(folder, inventNights(seed * 1000 + index, NIGHTS, world, planted));
        const nights: FoundResults[][] = [];
        for (const path of folders) nights.push(await findResults([path]));
        judgeSeries(nights, planted, (earlier, tonight) => compareWithNights(earlier, tonight), {
          window,
          tally: byNights,
        });
        judgeSeries(nights, planted, (earlier, tonight) => compareSets(earlier.at(-1)!, tonight), {
          window,
          tally: byLast,
        });
      }
      console.log(show(`planted in ${where}, ${window} nights`, byNights, series));
      console.log(show(`planted in ${where}, last night`, byLast, series));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
