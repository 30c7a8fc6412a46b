import type { FloatType } from "../util/dtype.ts";
import type { HubErrorKind } from "./errors.ts";
import type { AskedRepo } from "./repo.ts";

/** What is asked of the process that downloads: one JSON document on its standard input. */
export type HubRequest =
  | { readonly type: "list"; readonly repo: AskedRepo }
  | { readonly type: "file"; readonly repo: AskedRepo; readonly path: string }
  | { readonly type: "model"; readonly repo: AskedRepo; readonly dtype: "auto" | FloatType };

/** How far a download is. */
export interface DownloadEvent {
  /** Tells it apart from other events. */
  readonly type: "download";
  /** The repository's id. */
  readonly repo: string;
  /** Files of this download. */
  readonly files: number;
  /** How many of the files are there. */
  readonly filesDone: number;
  /** Bytes that are there, those from before included. */
  readonly done: number;
  /** Bytes in all; undefined where the hub does not say. */
  readonly total: number | undefined;
  /** Of the bytes that are there, those that came over the net by now. */
  readonly fetched: number;
}

/** What the process says, one JSON document per line on its standard output. */
export type HubEvent =
  | DownloadEvent
  | { readonly type: "note"; readonly message: string }
  /** The end of a request for a list. */
  | { readonly type: "listed"; readonly commit: string; readonly files: readonly string[] }
  /** The end of a request for a file or a model: its path, or its folder's. */
  | { readonly type: "fetched"; readonly path: string }
  | { readonly type: "error"; readonly kind: HubErrorKind | "mistake" | "bug"; readonly message: string };
