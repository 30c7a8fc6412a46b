import type { Flags } from "./types.ts";
import type { FlagSpec } from "../../flags/spec.ts";
import { text } from "../../flags/values.ts";

type ModelFlag = "model_id" | "revision" | "offline";

/** Returns the flags that choose the model, under a heading of the help. */
export function modelFlags(group: string, embedded: string): { readonly [K in ModelFlag]: FlagSpec<Flags[K]> } {
  return {
    model_id: {
      group,
      help:
        "Hugging Face model folder, an .onnx file in one, a .gguf file, or the id of a model on the hub, such as EleutherAI/pythia-410m",
      value: "DIR|ID",
      read: text,
      default: embedded,
    },
    revision: {
      group,
      help: "branch, tag or commit of a model on the hub",
      value: "NAME",
      read: text,
      default: undefined,
      defaultText: "main",
    },
    offline: {
      group,
      help: "download nothing: a file missing from the hub's cache is an error, as with HF_HUB_OFFLINE=1",
      default: false,
    },
  };
}
