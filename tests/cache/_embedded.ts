/** The embedded model in the form that the references take. */
import type { ModelFolder } from "../../lib/model/folder/model_folder.ts";
import { embeddedModel } from "../parity/golden.ts";
import { weightsOf } from "../model/_weights.ts";
import { gelu, type Neox, type Weights } from "../reference/neox.ts";

const model = embeddedModel();

export const embedded: { readonly model: ModelFolder; readonly neox: Neox; readonly weights: Weights } = {
  model,
  neox: {
    layers: 8,
    hidden: 256,
    heads: 8,
    intermediate: 1024,
    vocab: 4096,
    rotary: 8,
    theta: 10000,
    scale: 1,
    eps: 1e-5,
    parallel: true,
    attentionBias: true,
    tied: false,
    activation: gelu,
  },
  weights: weightsOf(model),
};
