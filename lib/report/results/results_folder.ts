import { join } from "@std/path";
import { InputError } from "../../util/errors.ts";

/**
 * Formats a moment in local time, as in folder names and `config.timestamp`.
 *
 * @param date The moment; now if left out.
 * @returns YYYYMMDD_HHMMSS.
 *
 * @example
 * ```ts
 * import { localTimestamp } from "./results_folder.ts";
 *
 * console.log(localTimestamp(new Date(2024, 11, 30, 15, 30, 45))); // "20241230_153045"
 * ```
 */
export function localTimestamp(date: Date = new Date()): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${String(date.getFullYear()).padStart(4, "0")}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}_${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}

/**
 * Returns the part of a model's folder or hub id that names it, fit for a file name on any system.
 *
 * @param modelId A folder, a hub id or an ONNX export's file, as given with `--model_id`.
 * @returns The last part of the path; for an export, with its model folder's last part before it. Every character other
 * than a letter, digit, dot, dash or underscore becomes an underscore.
 *
 * @example
 * ```ts
 * import { modelFileName } from "./results_folder.ts";
 *
 * console.log(modelFileName("EleutherAI/pythia-2.8b")); // "pythia-2.8b"
 * console.log(modelFileName("./models/my model/")); // "my_model"
 * console.log(modelFileName("models/gpt2/onnx/model_q4.onnx")); // "gpt2_model_q4"
 * ```
 */
export function modelFileName(modelId: string): string {
  const parts = modelId.split(/[/\\]+/).filter((part) => part !== "" && part !== "." && part !== "..");
  const last = modelId.endsWith(".onnx") ? exportName(parts) : parts.at(-1);
  // A leading dot hides a folder, and Windows drops a trailing one. Names end at 255 bytes; 80 leaves room.
  const safe = (last ?? "").replaceAll(/[^A-Za-z0-9._-]+/g, "_").slice(0, 80).replaceAll(/^\.+|\.+$/g, "");
  return safe === "" ? "model" : safe;
}

/** An ONNX export's name says too little by itself: its model folder's name goes before it. */
function exportName(parts: readonly string[]): string {
  const file = parts.at(-1)!.replace(/\.onnx$/, "");
  const folder = parts.slice(0, -1).findLast((part) => part !== "onnx");
  return folder === undefined ? file : `${folder}_${file}`;
}

/** Parts of a results folder's name. */
export interface ResultsFolderOptions {
  /** The folder that holds all runs, `--output`; made if it is missing. */
  output: string;
  /** The method asked for, or the group's name. */
  method: string;
  /** The model as the user named it. */
  modelId: string;
  /** From {@linkcode localTimestamp}; now if left out. */
  timestamp?: string;
}

/**
 * Makes the folder of one run, `{output}/{method}_{model}_{timestamp}`. Another run in the same second, in this process
 * or another, gets `_2`, `_3` … at the end: only one process can succeed in making a folder.
 *
 * @param options See {@linkcode ResultsFolderOptions}.
 * @returns The path of a new, empty folder.
 * @throws {InputError} If it cannot be made.
 *
 * @example
 * ```ts
 * import { createResultsFolder } from "./results_folder.ts";
 *
 * const output = await Deno.makeTempDir();
 * const run = { output, method: "streaming_llm", modelId: "gpt2", timestamp: "20241230_153045" };
 * console.log((await createResultsFolder(run)).slice(output.length)); // "/streaming_llm_gpt2_20241230_153045"
 * console.log((await createResultsFolder(run)).slice(output.length)); // "/streaming_llm_gpt2_20241230_153045_2"
 * await Deno.remove(output, { recursive: true });
 * ```
 */
export async function createResultsFolder(options: ResultsFolderOptions): Promise<string> {
  const { output, method, modelId, timestamp = localTimestamp() } = options;
  const name = `${modelFileName(method)}_${modelFileName(modelId)}_${timestamp}`;
  try {
    await Deno.mkdir(output, { recursive: true });
    for (let run = 1;; run++) {
      const folder = join(output, run === 1 ? name : `${name}_${run}`);
      try {
        await Deno.mkdir(folder);
        return folder;
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      }
    }
  } catch (error) {
    throw cannotWrite(output, error);
  }
}

/**
 * Explains why results could not be written, and what to do about it.
 *
 * @param folder The folder to write to.
 * @param cause The system's error.
 * @returns The error to throw.
 *
 * @example
 * ```ts
 * import { cannotWrite } from "./results_folder.ts";
 *
 * console.log(cannotWrite("/results", new Deno.errors.PermissionDenied("Permission denied (os error 13)")).message);
 * // "Cannot write results to /results: permission denied; name a folder you may write to with --output"
 * ```
 */
export function cannotWrite(folder: string, cause: unknown): InputError {
  return new InputError(
    `Cannot write results to ${folder}: ${reason(cause)}; name a folder you may write to with --output`,
    { cause },
  );
}

function reason(cause: unknown): string {
  if (cause instanceof Deno.errors.NotCapable) return "this process was started without --allow-write for it";
  if (cause instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (cause instanceof Deno.errors.AlreadyExists || cause instanceof Deno.errors.NotADirectory) {
    return "there is a file where a folder is needed";
  }
  if (!(cause instanceof Error)) return String(cause);
  if ("code" in cause && cause.code === "ENOSPC") return "the disk is full";
  if ("code" in cause && cause.code === "EROFS") return "the file system is read-only";
  return cause.message;
}
