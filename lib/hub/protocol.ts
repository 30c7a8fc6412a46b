import type { FloatType } from "../util/dtype.ts";
import type { HubErrorKind } from "./errors.ts";
import type { AskedRepo } from "./repo.ts";

/** Request to the download process: one JSON document on its standard input. */
export type HubRequest =
  | { readonly type: "list"; readonly repo: AskedRepo }
  | { readonly type: "file"; readonly repo: AskedRepo; readonly path: string }
  | { readonly type: "model"; readonly repo: AskedRepo; readonly dtype: "auto" | FloatType };

/** Progress of a download. */
export interface DownloadEvent {
  /** Distinguishes it from other events. */
  readonly type: "download";
  /** The repository's id. */
  readonly repo: string;
  /** Files of this download. */
  readonly files: number;
  /** Files that are complete. */
  readonly filesDone: number;
  /** Bytes present, including those from before. */
  readonly done: number;
  /** Bytes in total; undefined if the hub does not say. */
  readonly total: number | undefined;
  /** Bytes received in this download so far. */
  readonly fetched: number;
}

/** Event of the download process: one JSON document per line on its standard output. */
export type HubEvent =
  | DownloadEvent
  | { readonly type: "note"; readonly message: string }
  /** The end of a request for a list. */
  | { readonly type: "listed"; readonly commit: string; readonly files: readonly string[] }
  /** The end of a request for a file or a model: its path, or its folder's. */
  | { readonly type: "fetched"; readonly path: string }
  | { readonly type: "error"; readonly kind: HubErrorKind | "mistake" | "bug"; readonly message: string };
