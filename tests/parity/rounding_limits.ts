/**
 * Writes tests/fixtures/rounding_limits.json: what half precision's rounding alone does to the figures that `deno task
 * parity cuda` compares, for each model and method. A plain decoder in float64 rounds where ONNX Runtime's operators do
 * (the project's kernels round in fewer places), to the nearest and several times after a nudge of up to half a unit;
 * the largest error of all of these is kept. The parity programs allow twice that: the decoder rounds results, and says
 * nothing of the order of sums within an operator.
 *
 * Perplexities of the reference results are those of the engine in float32 with each weight moved by up to half a unit
 * of the type: 800 tokens of each run would take the plain decoder hours. Two nudges say little of the spread, and
 * nothing of rounded activations: so one run without choices is read by the plain decoder several times, and the
 * standard deviation of its errors holds for all runs. But rounded keys choose other entries, which nudged weights show too rarely: so one run that chooses,
 * the one that this moves most on a GPU, is read by the plain decoder, and its error holds for all that choose.
 *
 *     deno run -A tests/parity/rounding_limits.ts [PART OF A NAME | missing]
 *
 * With a part of a name it measures only these and keeps the others; with "missing", those that the file has not got.
 * It takes an hour, all of it.
 *
 * @module
 */
import { join } from "@std/path";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import { numbers } from "../cache/_numbers.ts";
import { safetensors, stored } from "../model/_safetensors.ts";
import { policyOf } from "../policies/_policy_of.ts";
import { ReferenceCache } from "../reference/cache.ts";
import { shaken } from "../reference/rounding.ts";
import { SpecDecoder } from "../reference/spec.ts";
import { emulate, emulated, type Emulation } from "./emulate.ts";
import { FAMILIES, familyModel, familyReadings, logitCases } from "./family_parity.ts";
import { embeddedModel, goldenRuns, goldenTokens, rerun, titleOf } from "./golden.ts";
import { Judge, weightsFor } from "./judge.ts";
import { kernelCases } from "./kernel_parity.ts";
import { CHOICES, type HalfType, type RoundingLimits, SMOOTH } from "./limits.ts";
import type { Reading } from "./reading.ts";

const FILE = new URL("../fixtures/rounding_limits.json", import.meta.url);
/**
 * Nudges of each tiny model; of the embedded one, a step of which takes a hundred times as long, one, over fewer steps
 * than a GPU runs: of three times as many errors the largest is a seventh larger.
 */
const SEED = 20261124,
  NUDGES = 7,
  EMBEDDED_NUDGES = 1,
  PERPLEXITY_NUDGES = 2,
  EMBEDDED_STEPS = 60,
  CHOICE_NUDGES = 5,
  SMOOTH_NUDGES = 6,
  FACTOR = 2;
type Kind = "nll" | "logits" | "perplexity";
const TYPES = ["float16", "bfloat16"] as const satisfies HalfType[];

/** To the nearest, and nudged. */
const emulations = (dtype: HalfType, nudges: number): Emulation[] => [
  { dtype, kernels: "ort" },
  ...Array.from({ length: nudges }, (_, i) => ({ dtype, kernels: "ort" as const, nudge: SEED + i })),
];

const most = (numbers: readonly number[]) => Number(Math.max(...numbers).toPrecision(3));

/** Measures a reading: a token's NLL under the same choices. */
export function nllError(reading: Reading, dtype: HalfType, nudges: number): number {
  const judge = new Judge(reading);
  return most(
    emulations(dtype, nudges).map((how) => {
      const { worst, fault, furthest } = judge.judge(emulate(reading, how), dtype);
      // The bound that ties are judged by must hold here: these choices differ by rounding alone.
      if (fault !== undefined) throw new Error(fault);
      if (furthest > 0.5) console.error(`  a tie at ${furthest.toFixed(2)} of what rounding explains`);
      return worst;
    }),
  );
}

/** Measures a text: the largest error of a logit as a share of the largest. */
function logitError(name: string, ids: readonly number[], passes: readonly number[], dtype: HalfType): number {
  const model = familyModel(name);
  const { layers, heads, kvHeads } = model.spec;
  const read = (make: (cache: ReferenceCache) => SpecDecoder) => {
    const decoder = make(new ReferenceCache({ layers, heads, kvHeads }, { keep: () => "all" }));
    return passes.flatMap((tokens) => Array.from({ length: tokens }, (_, i) => tokens - i))
      .map((left, i) => decoder.step(ids[i]!, true, left).logits);
  };
  const exact = read((cache) => new SpecDecoder(model.spec, weightsFor(model), cache));
  const largest = exact.reduce((most, row) => row.reduce((most, x) => Math.max(most, Math.abs(x)), most), 1);
  return most(
    emulations(dtype, NUDGES).map((how) => {
      const rounded = read((cache) => emulated({ model, positions: "absolute" }, cache, how));
      return exact.reduce(
        (worst, row, i) => row.reduce((worst, x, j) => Math.max(worst, Math.abs(x - rounded[i]![j]!)), worst),
        0,
      ) /
        largest;
    }),
  );
}

/** Opens a copy of the embedded model whose weights are rounded after a nudge. */
function nudgedModel(dtype: HalfType, seed: number, folder: string) {
  const model = embeddedModel();
  const weights = weightsFor(model), uniform = numbers(seed);
  const tensors = Object.fromEntries([...model.tensors].map(([name, { shape }]) => [
    name,
    stored("F32", [...shape], weights(name).map((x) => shaken(dtype, x, uniform))),
  ]));
  Deno.writeFileSync(join(folder, "model.safetensors"), safetensors(tensors));
  Deno.copyFileSync(
    new URL("../../lib/assets/novel-neox-8m/config.json", import.meta.url),
    join(folder, "config.json"),
  );
  return openModelFolder(folder);
}

if (import.meta.main) {
  const missing = Deno.args[0] === "missing";
  const part = missing ? "" : Deno.args[0] ?? "";
  const known: RoundingLimits = JSON.parse(Deno.readTextFileSync(FILE));
  const write = (kind: Kind, name: string, figures: Record<HalfType, number>) => {
    // Read anew: another part may be measured in another process.
    const found: Record<Kind, Record<string, Record<HalfType, number>>> = JSON.parse(Deno.readTextFileSync(FILE));
    found[kind][name] = figures;
    const made = { date: new Date().toISOString().slice(0, 10), seed: SEED, nudges: NUDGES, factor: FACTOR };
    const sorted = (all: object) => Object.fromEntries(Object.entries(all).sort(([a], [b]) => a < b ? -1 : 1));
    const { nll, logits, perplexity } = found;
    const text = JSON.stringify(
      { made, nll: sorted(nll), logits: sorted(logits), perplexity: sorted(perplexity) },
      null,
      1,
    );
    // One line for each figure.
    Deno.writeTextFileSync(
      FILE,
      text.replaceAll(/\{\n\s+("float16": [^\n]+)\n\s+("bfloat16": [^\n]+)\n\s+\}/g, "{ $1 $2 }") + "\n",
    );
  };
  const measure = (kind: Kind, name: string, of: (dtype: HalfType) => number) => {
    if (!name.includes(part) || missing && known[kind][name]) return;
    const start = performance.now();
    const [float16, bfloat16] = TYPES.map(of) as [number, number];
    write(kind, name, { float16, bfloat16 });
    console.log(
      `${kind} ${name.padEnd(60)} ${float16} ${bfloat16} ${((performance.now() - start) / 1000).toFixed(0)} s`,
    );
  };
  for (const family of FAMILIES) {
    for (const { name, ids, ways } of logitCases(family, familyModel(family))) {
      measure(
        "logits",
        name,
        (dtype) => most(Object.values(ways).map((passes) => logitError(family, ids, passes, dtype))),
      );
    }
    for (const [name, reading] of Object.entries(familyReadings(family))) {
      measure("nll", name, (dtype) => nllError(reading, dtype, NUDGES));
    }
  }
  const nudgesOf = ({ model: { spec } }: Reading) => spec.vocab > 1000 ? EMBEDDED_NUDGES : NUDGES;
  for (const { name, reading, types } of kernelCases("cuda", EMBEDDED_STEPS)) {
    if (types.length > 1) measure("nll", `kernels: ${name}`, (dtype) => nllError(reading, dtype, nudgesOf(reading)));
  }
  const runtime = openRuntime("cpu");
  const folder = Deno.makeTempDirSync({ prefix: "kvcompress_nudged_" });
  const form = { dtype: "float32", attention: "fused", kernels: "ort", threads: 1 } as const;
  // By type and nudge first: a model is made once for all runs.
  const runs = goldenRuns.filter((run) => titleOf(run).includes(part) && !(missing && known.perplexity[titleOf(run)]));
  const errors = runs.map(() => ({ float16: 0, bfloat16: 0 }));
  for (const dtype of runs.length > 0 ? TYPES : []) {
    for (let i = 0; i < PERPLEXITY_NUDGES; i++) {
      const model = nudgedModel(dtype, SEED + i, folder);
      for (const [at, run] of runs.entries()) {
        const { perplexity } = rerun(runtime, model, run, form);
        errors[at]![dtype] = most([errors[at]![dtype], Math.abs(perplexity / run.perplexity - 1)]);
      }
      console.log(`perplexity, ${dtype}, nudge ${i + 1}`);
    }
  }
  /** Errors of a reference run's perplexity, read by the plain decoder, of each emulation. */
  const perplexityErrors = (name: string, dtype: HalfType, nudges: number) => {
    const run = goldenRuns.find((run) => name.endsWith(titleOf(run)))!;
    const steps = run.nll.length;
    const reading: Reading = {
      model: embeddedModel(),
      policy: policyOf(run.method, run.params),
      positions: "absolute",
      skip: run.skip_layers,
      ids: goldenTokens.slice(0, steps + 1),
      prompts: [1],
    };
    const sum = (nll: readonly number[]) => nll.reduce((a, b) => a + b);
    return emulations(dtype, nudges).map((how) => {
      const error = Math.exp((sum(emulate(reading, how).nll) - sum(run.nll)) / steps) - 1;
      console.log(`  ${dtype}, nudge ${how.nudge ?? "none"}: ${error.toExponential(2)}`);
      return Math.abs(error);
    });
  };
  measure("perplexity", CHOICES, (dtype) => most(perplexityErrors(CHOICES, dtype, CHOICE_NUDGES)));
  measure("perplexity", SMOOTH, (dtype) => {
    const errors = perplexityErrors(SMOOTH, dtype, SMOOTH_NUDGES);
    return most([Math.sqrt(errors.reduce((sum, x) => sum + x ** 2, 0) / errors.length)]);
  });
  for (const [at, run] of runs.entries()) measure("perplexity", titleOf(run), (dtype) => errors[at]![dtype]);
  Deno.removeSync(folder, { recursive: true });
}
