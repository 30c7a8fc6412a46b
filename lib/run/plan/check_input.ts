/**
 * Checks that find mistakes in the input before anything is measured.
 *
 * @module
 */
import { InputError } from "../../util/errors.ts";
import type { ModelFolder } from "../../model/folder/model_folder.ts";
import { describe } from "../../model/folder/json_file.ts";
import { positionsObstacle } from "../../model/positions.ts";
import type { Configuration } from "./configuration.ts";
import type { DeviceDefaults } from "./device_defaults.ts";
import { POSITIONS, type Positions } from "../../engine/numbering.ts";
import type { BenchmarkOptions } from "./options.ts";

/** Refuses a run without configurations, two configurations of one name, and names that objects have by themselves. */
export function checkNames(configurations: readonly Configuration[]): void {
  if (configurations.length === 0) throw new InputError("Cannot run a benchmark: there is no configuration to measure");
  const names = configurations.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new InputError(`Cannot run a benchmark: two configurations are named "${twice}"`);
  const own = names.find((name) => name in Object.prototype);
  if (own !== undefined) {
    throw new InputError(
      `Cannot run a benchmark: a configuration is named "${own}", which every JavaScript object has; give another name`,
    );
  }
}

/** Refuses to compare with a configuration that is not there. */
export function checkComparedWith(name: string | undefined, configurations: readonly Configuration[]): void {
  if (name === undefined || configurations.some((configuration) => configuration.name === name)) return;
  throw new InputError(
    `Cannot compare with "${name}": no configuration has that name; give compared_with one of ${
      configurations.map(({ name }) => name).join(", ")
    }`,
  );
}

/** Refuses lengths that are not whole numbers or are too small. For scripts: flags are checked as they are read. */
export function checkLengths(
  lengths: DeviceDefaults,
  others: Pick<BenchmarkOptions, "trace_every" | "prefill_chunk">,
): void {
  const least: DeviceDefaults = {
    num_samples: 1,
    max_tokens: 1,
    max_new_tokens: 2,
    prompt_tokens: 1,
    num_warmup: 0,
    repetitions: 1,
  };
  for (const name of Object.keys(least) as (keyof DeviceDefaults)[]) {
    const value = lengths[name];
    if (!Number.isSafeInteger(value) || value < least[name]) {
      throw new InputError(`Cannot run with ${name} ${value}: give an integer of at least ${least[name]}`);
    }
  }
  for (const name of ["trace_every", "prefill_chunk"] as const) {
    const value = others[name];
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1)) {
      throw new InputError(`Cannot run with ${name} ${value}: give an integer of at least 1`);
    }
  }
}

/** Refuses unknown ways of numbering tokens. For scripts: flags are checked as they are read. */
export function checkPositions(positions: BenchmarkOptions["positions"] = "absolute"): readonly Positions[] {
  const all = [positions].flat();
  const other = all.find((mode) => !POSITIONS.includes(mode));
  if (other !== undefined || all.length === 0) {
    throw new InputError(`Cannot run with positions ${other ?? "[]"}: give one or several of ${POSITIONS.join(", ")}`);
  }
  return all;
}

/** Refuses layers that the model does not have. Returns the skipped layers in order, each once. */
export function checkSkipLayers(layers: readonly number[], { spec }: ModelFolder): number[] {
  const beyond = layers.find((layer) => !Number.isSafeInteger(layer) || layer < 0 || layer >= spec.layers);
  if (beyond !== undefined) {
    throw new InputError(
      `Cannot skip layer ${beyond}: --skip_layers names it, the model has layers 0 to ${spec.layers - 1}`,
    );
  }
  return [...new Set(layers)].sort((a, b) => a - b);
}

/** Refuses ids that the model has no embedding for. */
export function checkTokens(samples: readonly (readonly number[])[], { spec, path }: ModelFolder): void {
  for (const sample of samples) {
    const at = sample.findIndex((id) => !(Number.isInteger(id) && id >= 0 && id < spec.vocab));
    if (at === -1) continue;
    throw new InputError(
      `Cannot use the tokenizer of ${path}: it gives token ${
        describe(sample[at])
      }, config.json's vocab_size is ${spec.vocab}; tokenizer.json belongs to another model`,
    );
  }
}

/** Refuses a configuration with a numbering, or positions, that the model does not support. */
export function checkHighestPosition(
  name: string,
  positions: Positions,
  last: number,
  { path, spec }: ModelFolder,
): void {
  const obstacle = positionsObstacle(spec, positions, last);
  if (obstacle === undefined) return;
  if (positions === "cache" && !spec.rope) throw new InputError(`Cannot use --positions cache: ${obstacle}`);
  throw new InputError(
    `Cannot run ${name} with model ${path}: positions go to ${last}, and ${obstacle}; make --max_tokens, and --prompt_tokens with --max_new_tokens, shorter`,
  );
}
