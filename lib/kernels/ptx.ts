import type { FloatType } from "../dtype.ts";
import { assetPath } from "../util/assets.ts";

/** The folder of compiled kernels. */
export const PTX_FOLDER = new URL("./ptx/", import.meta.url);

/**
 * Path of the kernels that were compiled for a type and a GPU.
 *
 * @param dtype Type of the tensors.
 * @param target Compute capability: 80 or 90.
 * @returns Path of a gzip file of PTX.
 */
export function ptxFile(dtype: FloatType, target: number): string {
  return assetPath(new URL(`step.${dtype}.sm_${target}.ptx.gz`, PTX_FOLDER));
}
