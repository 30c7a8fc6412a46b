import type { Activation } from "./activation.ts";
import type { Rope } from "./rope.ts";

/** A matrix or a normalization, with or without a bias: names in the checkpoint. */
export interface Affine {
  readonly weight: string;
  readonly bias?: string;
}

/** One block's weights. */
export interface Block {
  readonly attention: {
    readonly norm: Affine;
    /** One matrix whose rows are, head by head, that head's query, key and value, `[heads * 3 * headDim, hidden]`. */
    readonly qkv: Affine;
    readonly out: Affine;
  };
  readonly mlp: {
    readonly norm: Affine;
    readonly up: Affine;
    readonly down: Affine;
  };
}

/** A decoder as its family's file describes it: everything the shared decoder graph needs to know. */
export interface ModelSpec {
  /** `model_type` of config.json. */
  readonly family: string;
  readonly layers: number;
  readonly hidden: number;
  /** Query heads. */
  readonly heads: number;
  /** Key and value heads; `heads` is a multiple of it. */
  readonly kvHeads: number;
  readonly headDim: number;
  /** Width of the MLP. */
  readonly intermediate: number;
  readonly vocab: number;
  /** Positions the model was trained for, tokens. */
  readonly maxPositions: number;
  readonly rope: Rope;
  readonly norm: { readonly kind: "layer"; readonly eps: number };
  /** "parallel": attention and MLP both read the block's input; "sequential": the MLP reads what attention gave. */
  readonly residual: "parallel" | "sequential";
  readonly activation: Activation;
  /** The token embedding, `[vocab, hidden]`: name in the checkpoint. */
  readonly embedding: string;
  readonly block: (layer: number) => Block;
  readonly finalNorm: Affine;
  /** The output matrix, `[vocab, hidden]`: the embedding's name where they are tied. */
  readonly head: Affine;
}
