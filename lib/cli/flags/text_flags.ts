import { MIN_CHARS } from "../../text/dataset.ts";
import { datasetNames } from "../../text/builtin_datasets.ts";
import type { Flags } from "./types.ts";
import type { FlagSpec } from "../../flags/spec.ts";
import { integer, text } from "../../flags/values.ts";

type TextFlag = "dataset" | "split" | "text_column" | "min_chars";

const names = datasetNames.join(", ");

/** Returns the flags that choose the texts, under a heading of the help. */
export function textFlags(group: string): { readonly [K in TextFlag]: FlagSpec<Flags[K]> } {
  return {
    dataset: {
      group,
      help:
        `${names}; a .txt, .jsonl, .json or .parquet file, a folder of such files, org/name on the hub, or - for standard input`,
      value: "NAME",
      read: text,
      default: "moby_dick",
    },
    split: {
      group,
      help: "train, validation, test: part of a data set that has parts",
      value: "NAME",
      read: text,
      default: undefined,
      defaultText: "test on the hub, all of a folder",
    },
    text_column: {
      group,
      help: "column or field that holds the texts of a table",
      value: "NAME",
      read: text,
      default: undefined,
      defaultText: "text",
    },
    min_chars: {
      group,
      help: "skip texts with fewer characters, where there are several",
      value: "N",
      read: integer(1),
      default: undefined,
      defaultText: `${MIN_CHARS}`,
    },
  };
}
