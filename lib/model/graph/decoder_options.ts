import type { FloatType } from "../../util/dtype.ts";
import type { Graph, GraphNames, Tensor } from "../../onnx/graph.ts";
import type { AttentionForm, Observation } from "./attention/attention_form.ts";
import type { HeadsOp } from "./layer_ops.ts";
import type { CacheView } from "./attention/view.ts";
import type { WindowUse } from "./attention/attention_mask.ts";

/** What the decoder graph is built for. */
export interface DecoderOptions {
  /** Type of weights, activations and cache. */
  readonly dtype: FloatType;
  readonly device: "cpu" | "cuda";
  readonly attention: AttentionForm;
  /** Positions the rotary table covers, tokens. */
  readonly maxPositions: number;
  /**
   * When keys are rotated: "write", by the positions given with the tokens; or "read", by their place in the cache,
   * which requires explicit attention.
   */
  readonly rotate: "write" | "read";
  /** Attention that what follows a pass observes; requires explicit attention. */
  readonly observe?: Observation | undefined;
  /**
   * How sliding windows count; requires explicit attention. Omitted if the model has none, or no text is longer than
   * it: then nothing is masked.
   */
  readonly window?: WindowUse | undefined;
  /**
   * Layer → its length group. Layers of a group always hold equally many entries in buffers of equal capacity, and
   * share the inputs that state this.
   */
  readonly groups: readonly number[];
  /**
   * Also output the logits, float32: "last", of the last token, `[1, vocab]`, which are computed in any case; true, of
   * every input token, `[tokens, vocab]`: for tests; costs a matrix product per token.
   */
  readonly logits?: boolean | "last";
  /**
   * Tokens of a pass that verifies drafts: it also outputs `predicted`, and each token's sums run as in a step, a pass of
   * that one token, so that both give the same bits. On the CPU only. See {@linkcode buildDecoder}.
   */
  readonly rows?: number | undefined;
  /** The part of the cache that a pass of one token sees; everything if omitted. In the explicit form only. */
  readonly view?: CacheView;
  /** Whose order the sums of such a pass have: those of steps, or of any pass of several tokens; "step" if omitted. */
  readonly sums?: "step" | "pass";
  /** Gets the weights, by their names in the checkpoint, once they are all in the graph. */
  readonly weights?: ((g: Graph, weights: ReadonlyMap<string, Tensor>) => void) | undefined;
  /** Makes queries, keys and values in place of ONNX Runtime's operators; gets the positions of buildDecoder(). */
  readonly heads?: ((g: Graph, positions: Tensor | undefined) => HeadsOp) | undefined;
  /** Writes what follows a pass into the same graph. */
  readonly then?: ((g: Graph, pass: PassTensors) => void) | undefined;
}

/** What a pass provides to what follows it. */
export interface PassTensors {
  /** A finite float32 tensor that exists only after every layer has written its new entries. */
  readonly after: Tensor;
  /** The attention of the observed layers: see ExplicitAttention. */
  readonly observed: readonly Tensor[];
}

/** A decoder graph, ready for a session. */
export interface Decoder {
  /** The serialized ONNX model, without the weights. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The folder external initializers are relative to. */
  readonly weightsFolder: string;
  /** Bytes of the weights as stored. */
  readonly weightBytes: number;
  /** Its inputs and outputs. */
  readonly names: GraphNames;
}
