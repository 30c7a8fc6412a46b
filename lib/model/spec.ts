import type { Rope } from "./rope.ts";

/** A matrix with an optional bias: names in the checkpoint. */
export interface Linear {
  readonly weight: string;
  readonly bias?: string;
}

/** A normalization: names in the checkpoint. */
export interface Norm {
  readonly weight: string;
  readonly bias?: string;
}

/** One block's weights: names in the checkpoint. */
export interface Block {
  readonly attention: {
    readonly norm: Norm;
    /** One matrix whose rows are, head by head, that head's query, key and value, `[heads * 3 * headDim, hidden]`. */
    readonly qkv: Linear;
    readonly out: Linear;
  };
  readonly mlp: {
    readonly norm: Norm;
    readonly up: Linear;
    readonly down: Linear;
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
  readonly embedding: string;
  readonly block: (layer: number) => Block;
  readonly finalNorm: Norm;
  /** The output matrix, `[vocab, hidden]`: the embedding's name where they are tied. */
  readonly head: Linear;
}

/** Activation functions of the MLP, by what they compute. */
export type Activation = "gelu" | "gelu_tanh" | "relu";
