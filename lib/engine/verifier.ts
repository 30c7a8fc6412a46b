import type { ModelFolder } from "../model/folder/model_folder.ts";
import type { FloatType } from "../util/dtype.ts";
import type { Engine } from "./engine.ts";
import { type KernelChoice, kernelObstacle } from "./kernel_choice.ts";
import { SharedModel } from "./shared_model.ts";

/** What decides whether several tokens can be verified in one pass. */
export interface VerifierUse {
  readonly device: "cpu" | "cuda";
  readonly dtype: FloatType;
  /** The most tokens of any sequence. */
  readonly maxPositions: number;
  /** Whose kernels run steps, "auto" if left out. */
  readonly kernels?: KernelChoice;
}

/**
 * Returns why an engine cannot run passes of several tokens that have the bits of steps, to follow "Cannot verify drafts
 * in one pass: "; undefined if it can.
 *
 * @example
 * ```ts
 * import { verifierObstacle } from "./verifier.ts";
 * import { openModelFolder } from "../model/folder/model_folder.ts";
 *
 * const model = openModelFolder("lib/assets/novel-neox-8m");
 * console.log(verifierObstacle(model, { device: "cpu", dtype: "float32", maxPositions: 2048 })); // undefined
 * ```
 *
 * @param model The model.
 * @param use The device, the most tokens of any sequence, and whose kernels run its steps.
 * @returns The reason, without a full stop.
 */
export function verifierObstacle(
  model: ModelFolder,
  { device, dtype, maxPositions, kernels = "auto" }: VerifierUse,
): string | undefined {
  if (model.export) return "an ONNX export has its own graph";
  const { growth } = model.spec.rope ?? {};
  if (growth && maxPositions > growth.from) {
    return `beyond ${growth.from} tokens the model rotates every token of a pass by the length of the text after it`;
  }
  if (device === "cpu") return undefined;
  if (kernels === "ort") return "on CUDA only the project's kernels can, and ONNX Runtime's run the steps";
  const obstacle = kernelObstacle(model, { device, dtype, maxPositions });
  return obstacle === undefined ? undefined : `on CUDA only the project's kernels can, and ${obstacle}`;
}

/**
 * The model of an engine, for passes that verify drafts: {@linkcode rows} tokens at once, of which each gets the bits
 * that a step would give it. The products read each weight once for all of them; attention goes row by row.
 *
 * @example
 * ```ts
 * import { openModelFolder } from "../model/folder/model_folder.ts";
 * import { Engine } from "./engine.ts";
 * import { openRuntime } from "./open_runtime.ts";
 * import { Verifier } from "./verifier.ts";
 *
 * const model = openModelFolder("lib/assets/novel-neox-8m");
 * using engine = new Engine(openRuntime("cpu"), model, {
 *   dtype: "float32",
 *   attention: "fused",
 *   maxPositions: 64,
 *   table: { layers: new Array(model.spec.layers).fill([]) },
 * });
 * using verifier = new Verifier(engine, 3, false);
 * using sequence = engine.sequence([{ tokens: 1, times: 8 }], 0);
 * const pass = sequence.addPass(verifier, 3);
 * sequence.run(pass, [5, 6, 7]);
 * console.log(pass.predicted().length); // 3
 * ```
 */
export class Verifier extends SharedModel {
  /**
   * Loads the model once more.
   *
   * @param engine What runs the steps.
   * @param rows Tokens of each pass, at least 2.
   * @param logits Whether passes also return every token's logits.
   * @param sums "pass" for an ordinary pass of several tokens: its bits are not those of steps.
   * @throws {TypeError} If the engine cannot do this: see {@linkcode verifierObstacle}.
   */
  constructor(
    engine: Engine,
    readonly rows: number,
    readonly logits: boolean,
    readonly sums: "step" | "pass" = "step",
  ) {
    const { runtime, model, options: { dtype, maxPositions } } = engine;
    const obstacle = runtime.device.kind === "cuda"
      ? "on CUDA a sequence's own verification does"
      : verifierObstacle(model, { device: "cpu", dtype, maxPositions });
    if (sums === "step" && obstacle !== undefined) {
      throw new TypeError(`Cannot verify drafts in one pass: ${obstacle}`);
    }
    super(engine, { rows, logits, sums });
  }

  get attention(): Engine["attention"] {
    return this.engine.attention;
  }
}
