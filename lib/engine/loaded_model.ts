import type { Eviction } from "../cache/eviction.ts";
import type { ModelFolder } from "../model/folder/model_folder.ts";
import type { WindowUse } from "../model/graph/attention/attention_mask.ts";
import type { Runtime } from "../ort/runtime.ts";
import type { PassGraphs } from "./loaded_graph.ts";
import type { Numbering } from "./numbering.ts";

/** What passes need from the engine that runs them. */
export interface LoadedModel {
  readonly runtime: Runtime;
  readonly model: ModelFolder;
  readonly eviction: Eviction;
  /** The sessions of a pass. */
  readonly graphs: PassGraphs;
  /** The form of attention; if {@linkcode ownSteps}, passes of one token use another one. */
  readonly attention: "fused" | "explicit" | "export";
  /** Whether the project's own kernels run passes of one token. */
  readonly ownSteps: boolean;
  /** How tokens are numbered. */
  readonly numbering: Numbering;
  /** Layer → its length group: layers of a group hold equally many entries throughout. */
  readonly groups: readonly number[];
  /** How sliding windows count if a text is longer than one. */
  readonly window: WindowUse | undefined;
  /** Whether steps are captured as CUDA graphs. */
  readonly captured: boolean;
  /** Whether passes also return logits: the last token's, or with `true` every token's. */
  readonly logits: boolean | "last";
  /** Tokens of its passes, if they verify drafts: then they also return the token predicted after each. */
  readonly rows?: number;
}

/** The forms of attention that a pass can supply inputs for; "step" is that of the project's own kernels. */
export type FormName = LoadedModel["attention"] | "step";
