import type { Activation } from "./graph/activation.ts";
import type { Rope } from "./graph/rope/rope.ts";

/** A matrix's or a normalization's weights, with or without a bias: names in the checkpoint. */
export interface Affine {
  /** Name of the weights. */
  readonly weight: string;
  /** Name of the bias; omitted if there is none. */
  readonly bias?: string;
  /** The matrix is stored `[in, out]` rather than `[out, in]`. */
  readonly transposed?: boolean;
}

/** A normalization; "plain" is one without weights. */
export type Norm = Affine | "plain";

/** What queries, keys and values come from: a matrix each, or one for all. */
export type Projections =
  | { readonly query: Affine; readonly key: Affine; readonly value: Affine }
  | {
    readonly packed: Affine;
    /**
     * Order of its rows: "heads": each head's query, key and value in turn; "parts": all queries, all keys, all values.
     */
    readonly order: "heads" | "parts";
  };

/** One block's weights. */
export interface Block {
  /** Attention: its normalization, projections and output matrix. */
  readonly attention: {
    readonly norm: Norm;
    readonly qkv: Projections;
    /** Normalizations of each head's query and key, `[headDim]`. Henry et al. 2020, arXiv:2010.04245. */
    readonly headNorms?: { readonly query: Affine; readonly key: Affine };
    readonly out: Affine;
  };
  /** The feed-forward part. */
  readonly mlp: {
    /** Omitted if the MLP reads the output of attention's normalization. */
    readonly norm?: Norm;
    /** With a gate, the MLP is down(activation(gate(x)) * up(x)). Shazeer 2020, arXiv:2002.05202. */
    readonly gate?: Affine;
    readonly up: Affine;
    readonly down: Affine;
  };
}

/** A decoder as its family's file describes it: everything the shared decoder graph needs to know. */
export interface ModelSpec {
  /** `model_type` of config.json. */
  readonly family: string;
  /** Layers. */
  readonly layers: number;
  /** Width of the residual stream. */
  readonly hidden: number;
  /** Query heads. */
  readonly heads: number;
  /** Key and value heads; `heads` is a multiple of it. */
  readonly kvHeads: number;
  /** Dimensions of a head. */
  readonly headDim: number;
  /** Width of the MLP. */
  readonly intermediate: number;
  /** Rows of the token embedding. */
  readonly vocab: number;
  /** Positions the model was trained for, tokens. */
  readonly maxPositions: number;
  /** Rotary position embedding, if the model has one. */
  readonly rope?: Rope;
  /** A table of learned position embeddings, if the model has one: position p has row p + offset. */
  readonly learned?: { readonly weight: string; readonly offset: number };
  /** The sliding window of a layer, tokens: those a token sees, itself included; undefined if it sees all. */
  readonly window?: (layer: number) => number | undefined;
  /** The normalization that all layers have. */
  readonly norm: {
    /** Ba et al. 2016, arXiv:1607.06450, or without mean and bias: Zhang and Sennrich 2019, arXiv:1910.07467. */
    readonly kind: "layer" | "rms";
    readonly eps: number;
    /** Weights are stored less 1. */
    readonly plusOne?: boolean;
  };
  /** Factor of a layer's scores: 1 / sqrt(headDim) if omitted. */
  readonly scoreScale?: (layer: number) => number;
  /**
   * "parallel": attention and MLP both read the block's input; "sequential": the MLP reads attention's output; "post":
   * the same, but sums are normalized rather than inputs. Vaswani et al. 2017, arXiv:1706.03762.
   */
  readonly residual: "parallel" | "sequential" | "post";
  /** Activation function of the MLP. */
  readonly activation: Activation;
  /** The token embedding, `[vocab, hidden]`: name in the checkpoint. */
  readonly embedding: string;
  /** Matrices between the hidden size and embeddings and output of another width. */
  readonly projected?: { readonly width: number; readonly in: Affine; readonly out: Affine };
  /** Factor of the token embedding. */
  readonly embeddingScale?: number;
  /** Prefix of tensors' names in a checkpoint of the whole model, absent in one of the model without its head. */
  readonly prefix: string;
  /** Weights of a layer, by its index from 0. */
  readonly block: (layer: number) => Block;
  /** Omitted if there is none. */
  readonly finalNorm?: Norm;
  /** The output matrix, `[vocab, hidden]`: the embedding's name if they are tied. */
  readonly head: Affine;
}

/** Returns the factor of a layer's scores. */
export function scoreScale({ scoreScale, headDim }: ModelSpec, layer: number): number {
  return scoreScale?.(layer) ?? 1 / Math.sqrt(headDim);
}

/** A matrix or a normalization by the name of its module, as checkpoints have it. */
export function affine(name: string, bias = true): Affine {
  return { weight: `${name}.weight`, ...(bias ? { bias: `${name}.bias` } : {}) };
}

/** Returns the shortest sliding window of all layers, tokens; Infinity if no layer has one. */
export function shortestWindow({ window, layers }: Pick<ModelSpec, "window" | "layers">): number {
  return Math.min(...Array.from({ length: layers }, (_, layer) => window?.(layer) ?? Infinity));
}
