/** Which steps of a quality pass are compared with the full cache: every `stride`-th from `first` on. */
export interface ReferencePlan {
  /** Index of the first such step, from 0. */
  readonly first: number;
  /** Distance between them, steps. */
  readonly stride: number;
}

/**
 * Most bytes of all samples' reference logits: 2 GiB. So much stays in the page cache of a machine that runs a model of
 * a few gigabytes, and fits where temporary files lie in memory. It holds every step of 2 samples of 2000 tokens for
 * vocabularies up to 134,000.
 */
export const MOST_REFERENCE_BYTES = 2 * 2 ** 30;

/**
 * Chooses the steps whose logits are kept: every one while all samples together stay within the limit, otherwise every
 * k-th, from the middle of the first k on.
 *
 * @example
 * ```ts
 * import { strideFor } from "./reference_plan.ts";
 *
 * console.log(strideFor(2000, 50_304, 3)); // { first: 0, stride: 1 }
 * console.log(strideFor(32_000, 151_936, 3)); // { first: 7, stride: 14 }
 * ```
 *
 * @param steps Steps of a quality pass, at least 1.
 * @param vocab Logits of a step.
 * @param samples Number of samples, each with a file of its own, at least 1.
 * @param most Most bytes of all files.
 * @returns The steps. At least one a sample, whatever the limit.
 */
export function strideFor(
  steps: number,
  vocab: number,
  samples: number,
  most: number = MOST_REFERENCE_BYTES,
): ReferencePlan {
  const rows = Math.min(steps, Math.max(1, Math.floor(most / (samples * rowBytes(vocab)))));
  const stride = Math.ceil(steps / rows);
  return { first: Math.floor(stride / 2), stride };
}

/**
 * Returns how many of `steps` steps are kept: the rows of a sample's file.
 *
 * @example
 * ```ts
 * import { rowsOf } from "./reference_plan.ts";
 *
 * console.log(rowsOf({ first: 1, stride: 3 }, 8)); // 3: steps 1, 4 and 7
 * ```
 */
export function rowsOf({ first, stride }: ReferencePlan, steps: number): number {
  return Math.max(0, Math.ceil((steps - first) / stride));
}

/**
 * Returns the row of a step in its sample's file; undefined if the step is not kept.
 *
 * @example
 * ```ts
 * import { rowAt } from "./reference_plan.ts";
 *
 * console.log(rowAt({ first: 1, stride: 3 }, 4), rowAt({ first: 1, stride: 3 }, 5)); // 1 undefined
 * ```
 */
export function rowAt({ first, stride }: ReferencePlan, step: number): number | undefined {
  return step >= first && (step - first) % stride === 0 ? (step - first) / stride : undefined;
}

/**
 * Returns the bytes of a step's logits, float32 `[vocab]`.
 *
 * @example
 * ```ts
 * import { rowBytes } from "./reference_plan.ts";
 *
 * console.log(rowBytes(50_304)); // 201216
 * ```
 */
export function rowBytes(vocab: number): number {
  return 4 * vocab;
}
