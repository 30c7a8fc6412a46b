/** Settings whose defaults depend on the device, since a GPU does in seconds what takes a CPU minutes. */
export interface DeviceDefaults {
  /** Text samples. */
  num_samples: number;
  /** Tokens of the quality pass. */
  max_tokens: number;
  /** Tokens generated in the speed pass. */
  max_new_tokens: number;
  /** Tokens of the prompt of the speed pass. */
  prompt_tokens: number;
  /** Runs before the clock starts. */
  num_warmup: number;
  /** Rounds of speed passes. */
  repetitions: number;
}

/**
 * Defaults by device. On CUDA they are those of the Python benchmark that this project re-creates; the prompt is chosen
 * so that prompt and new tokens together are 2000, as in the quality pass. On a CPU the default run of seven
 * configurations ends within a minute on two cores. Its text is longer than the largest cache it compares, 1024
 * entries, and its prompt is longer than the smallest.
 *
 * With more than 8 configurations on CUDA, a run has one sample and two rounds: every process loads the weights, and a
 * comparison of all methods on a model of 2.8 billion parameters then ends within four minutes on an H100.
 */
export const DEFAULTS: Readonly<Record<"cuda" | "cpu", Readonly<DeviceDefaults>>> = {
  cuda: { num_samples: 2, max_tokens: 2000, max_new_tokens: 500, prompt_tokens: 1500, num_warmup: 3, repetitions: 3 },
  cpu: { num_samples: 2, max_tokens: 1280, max_new_tokens: 128, prompt_tokens: 512, num_warmup: 1, repetitions: 4 },
};

/** Configurations above which a run on CUDA has shorter defaults, and these. */
const MANY = 8;
const SHORT: Readonly<Partial<DeviceDefaults>> = { num_samples: 1, repetitions: 2 };

/** The same settings as the command line leaves them: undefined if not given. */
export type Undecided = { [K in keyof DeviceDefaults]: DeviceDefaults[K] | undefined };

/**
 * Fills in the device's defaults for settings that were not given.
 *
 * @example
 * ```ts
 * import { resolveDefaults } from "./device_defaults.ts";
 * import { parseFlags } from "../../cli/flags/parse.ts";
 *
 * const flags = resolveDefaults(parseFlags(["--max_tokens", "800"]), "cuda");
 * console.log(flags.max_tokens, flags.max_new_tokens); // 800 500
 * ```
 *
 * @param flags The settings given.
 * @param device The run's device.
 * @param configurations Number of configurations.
 * @returns The settings, without gaps.
 */
export function resolveDefaults<T extends Undecided>(
  flags: T,
  device: "cuda" | "cpu",
  configurations = 1,
): Omit<T, keyof DeviceDefaults> & DeviceDefaults {
  const defaults = { ...DEFAULTS[device], ...(device === "cuda" && configurations > MANY ? SHORT : {}) };
  return {
    ...flags,
    num_samples: flags.num_samples ?? defaults.num_samples,
    max_tokens: flags.max_tokens ?? defaults.max_tokens,
    max_new_tokens: flags.max_new_tokens ?? defaults.max_new_tokens,
    prompt_tokens: flags.prompt_tokens ?? defaults.prompt_tokens,
    num_warmup: flags.num_warmup ?? defaults.num_warmup,
    repetitions: flags.repetitions ?? defaults.repetitions,
  };
}
