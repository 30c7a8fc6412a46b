import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import type { SpeedRun } from "../../lib/report/results/spread_types.ts";
import type { BenchmarkResults, PassChoice, QualitySample } from "../../lib/report/results/types.ts";
import { composeSample } from "../../lib/run/compose.ts";
import type { MeasureRequest } from "../../lib/run/child/protocol.ts";
import { jobsOf } from "../../lib/run/jobs.ts";
import { INTERRUPTED, Ledger } from "../../lib/run/ledger.ts";
import { speedTurns } from "../../lib/run/rounds.ts";
import { summarize } from "../../lib/run/summarize.ts";
import { inventQuality, inventResults, inventRun } from "../report/_invent.ts";

const NAMES = ["baseline", "tova", "keydiff"];

/** What a run finishes, one at a time. */
type Piece = { readonly run: SpeedRun } | { readonly quality: QualitySample };

interface Shape {
  readonly names: readonly string[];
  readonly repetitions: number;
  readonly samples: number;
  readonly seed: number;
  readonly passes: PassChoice;
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  names: fc.integer({ min: 1, max: 3 }).map((count) => NAMES.slice(0, count)),
  repetitions: fc.integer({ min: 1, max: 4 }),
  samples: fc.integer({ min: 1, max: 4 }),
  seed: fc.nat(),
  passes: fc.constantFrom("both", "speed", "quality"),
});

function newLedger({ names, repetitions, samples, seed, passes }: Shape): Ledger {
  const results = inventResults(Object.fromEntries(names.map((name) => [name, ""])), {
    num_samples: samples,
    repetitions,
    passes,
    seed,
    max_tokens: 12,
  });
  const turns = passes === "quality" ? [] : speedTurns({ configurations: names.length, repetitions, samples, seed });
  return new Ledger(results, turns, passes);
}

/** Every piece that is wanted, listed without the ledger. Each has its own figures. */
function piecesOf({ names, samples, passes, ...shape }: Shape): Piece[] {
  const turns = speedTurns({ ...shape, configurations: names.length, samples });
  const speed = turns.flatMap(({ round, place, configuration, samples: own }): Piece[] =>
    own.map((sample) => {
      const tpot = 0.004 + Math.sin(round * 31 + configuration * 7 + sample) / 1000;
      return { run: inventRun(names[configuration]!, { round, place, sample, tpot, throughput: 1 / tpot }) };
    })
  );
  const quality = names.flatMap((name, index) =>
    Array.from({ length: samples }, (_, sample): Piece => {
      const nll = Array.from({ length: 12 }, (_, step) => 3 + Math.cos(step * 3 + sample * 5 + index * 11));
      return { quality: inventQuality(name, { sample, nll, right: nll.map((loss) => loss < 3 ? 1 : 0) }) };
    })
  );
  return [...passes === "quality" ? [] : speed, ...passes === "speed" ? [] : quality];
}

function add(ledger: Ledger, piece: Piece): void {
  if ("run" in piece) ledger.addSpeed(piece.run);
  else ledger.addQuality(piece.quality);
}

const nameOf = (piece: Piece) => "run" in piece ? piece.run.method : piece.quality.method;
const tell = (piece: Piece) =>
  "run" in piece
    ? `speed of ${piece.run.method} ${piece.run.sample} in round ${piece.run.round}`
    : `quality of ${piece.quality.method} ${piece.quality.sample}`;

/** All and some of the pieces, in any order. */
const scenes = shapes.chain((shape) => {
  const all = piecesOf(shape);
  return fc.record({
    shape: fc.constant(shape),
    all: fc.constant(all),
    some: fc.shuffledSubarray(all),
    failed: fc.subarray([...shape.names]),
  });
});

/** What results.json has to say, from the pieces alone. */
function expected({ names, samples }: Shape, all: readonly Piece[], some: readonly Piece[], failed: readonly string[]) {
  const of = (name: string) => {
    const own = all.filter((piece) => nameOf(piece) === name && some.includes(piece));
    const runs = own.flatMap((piece) => "run" in piece ? [piece.run] : []);
    const quality = own.flatMap((piece) => "quality" in piece ? [piece.quality] : []);
    const isWhole = own.length === all.filter((piece) => nameOf(piece) === name).length;
    return { name, runs, quality, isWhole, hasFailed: failed.includes(name), isBegun: own.length > 0 };
  };
  const configurations = names.map(of);
  return {
    statuses: configurations.map(({ isWhole, hasFailed }) => isWhole ? "done" : hasFailed ? "failed" : "not run"),
    raw: configurations.filter(({ isWhole }) => isWhole).flatMap(({ name, runs, quality }) =>
      Array.from({ length: samples }, (_, sample) =>
        composeSample(
          name,
          sample,
          runs.filter((run) => run.sample === sample),
          quality.find((each) => each.sample === sample),
        ))
    ),
    failures: configurations.filter(({ isWhole, hasFailed, isBegun }) => !isWhole && (hasFailed || isBegun)).map(
      ({ name, quality, hasFailed }) => ({
        method: name,
        reason: hasFailed ? "crashed" : INTERRUPTED,
        ...(quality.length > 0 ? { quality } : {}),
      }),
    ),
    runs: all.flatMap((piece) => "run" in piece && some.includes(piece) ? [piece.run] : []),
  };
}

function said({ configurations, raw_results, failures, speed_runs }: BenchmarkResults) {
  return {
    statuses: configurations.map(({ status }) => status),
    raw: raw_results,
    failures: failures.map(({ log: _, code: __, ...failure }) => failure),
    runs: speed_runs,
  };
}

Deno.test("results.json says what is finished, in whatever order it came, and nothing more", () => {
  fc.assert(fc.property(scenes, ({ shape, all, some, failed }) => {
    const ledger = newLedger(shape);
    for (const [i, piece] of some.entries()) {
      // A failure is told at any time.
      if (i === some.length >> 1) fail(ledger, failed);
      add(ledger, piece);
      summarize(ledger.results);
    }
    if (some.length === 0) fail(ledger, failed);
    summarize(ledger.results);
    deepEqual(said(ledger.results), expected(shape, all, some, failed));
    shape.names.forEach((name, i) => {
      const { status } = ledger.results.configurations[i]!;
      equal(ledger.isComplete(i), status === "done");
      equal(ledger.hasFailed(i), failed.includes(name));
    });
    // Averages and comparisons are those of a run in order.
    const inOrder = newLedger(shape);
    for (const piece of all.filter((piece) => some.includes(piece))) add(inOrder, piece);
    summarize(inOrder.results);
    for (const name of ["aggregated_stats", "baseline_stats", "comparisons", "drift"] as const) {
      deepEqual(ledger.results[name], inOrder.results[name], name);
    }
  }));
});

function fail(ledger: Ledger, names: readonly string[]): void {
  for (const method of names) ledger.fail({ method, reason: "crashed", log: "", code: 134 });
}

Deno.test("the jobs of a run are exactly what is missing, speed first and round by round, and complete it", () => {
  fc.assert(fc.property(scenes, ({ shape, all, some }) => {
    const ledger = newLedger(shape);
    for (const piece of some) add(ledger, piece);
    const requests = requestsOf(shape);
    const jobs = jobsOf(requests, ledger);
    const made = jobs.flatMap(({ pass, wanted, configuration, turn }) =>
      wanted.map((sample) => {
        const name = shape.names[configuration!];
        return all.find((piece) =>
          nameOf(piece) === name &&
          (pass === "speed"
            ? "run" in piece && piece.run.round === turn!.round && piece.run.sample === sample
            : "quality" in piece && piece.quality.sample === sample)
        )!;
      })
    );
    deepEqual(made.map(tell), all.filter((piece) => !some.includes(piece)).map(tell));
    ok(jobs.every(({ wanted }) => wanted.length > 0));
    for (const piece of made) add(ledger, piece);
    deepEqual(jobsOf(requests, ledger), []);
    summarize(ledger.results);
    deepEqual(said(ledger.results), expected(shape, all, all, []));
  }));
});

/** Jobs carry them as they are. */
const requestsOf = ({ names }: Shape) => names.map((name) => ({ name }) as MeasureRequest);

Deno.test("with a full cache to compare with, its quality comes first, of all samples that any other lacks", () => {
  const withQuality = scenes.filter(({ shape }) => shape.passes !== "speed");
  fc.assert(fc.property(withQuality, fc.boolean(), ({ shape, some }, isRow) => {
    const ledger = newLedger(shape);
    for (const piece of some) add(ledger, piece);
    const requests = requestsOf(shape);
    const plain = jobsOf(requests, ledger);
    const source = isRow ? { request: requests[0]!, configuration: 0 } : {
      request: { name: "baseline" } as MeasureRequest,
      configuration: undefined,
    };
    const jobs = jobsOf(requests, ledger, source);
    const of = (list: typeof jobs, pass: "speed" | "quality") => list.filter((job) => job.pass === pass);
    deepEqual(of(jobs, "speed"), of(plain, "speed"));
    const [first, ...others] = of(jobs, "quality");
    const lacked = new Set(of(plain, "quality").flatMap(({ wanted }) => wanted));
    deepEqual(first?.wanted ?? [], [...lacked].sort((a, b) => a - b));
    equal(first?.configuration, first && source.configuration);
    deepEqual(others, of(plain, "quality").filter(({ configuration }) => !isRow || configuration !== 0));
  }));
});

Deno.test("what is recorded once more counts once", () => {
  fc.assert(fc.property(scenes, ({ shape, all, some }) => {
    const ledger = newLedger(shape);
    for (const piece of [...some, ...some]) add(ledger, structuredClone(piece));
    summarize(ledger.results);
    deepEqual(said(ledger.results), expected(shape, all, some, []));
  }));
});
