/** The embedded model as the references take it. */
import type { ModelFolder } from "../../lib/model/model_folder.ts";
import { embeddedModel } from "../golden.ts";
import { gelu, type Neox, type Weights } from "../model/reference_neox.ts";

export const embedded: { readonly model: ModelFolder; readonly neox: Neox; readonly weights: Weights } = {
  model: embeddedModel(),
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
  weights: (name) => {
    const found = numbers.get(name) ?? read(name);
    numbers.set(name, found);
    return found;
  },
};

const numbers = new Map<string, Float64Array>();

/** Half floats as they are stored. */
function read(name: string): Float64Array {
  const { file, offset, bytes } = embedded.model.tensors.get(name)!;
  using opened = Deno.openSync(file);
  opened.seekSync(offset, Deno.SeekMode.Start);
  const data = new Uint8Array(bytes);
  for (let at = 0; at < bytes;) at += opened.readSync(data.subarray(at)) ?? bytes;
  return Float64Array.from(new Float16Array(data.buffer));
}
