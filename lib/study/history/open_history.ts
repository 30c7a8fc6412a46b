import { DatabaseSync } from "node:sqlite";
import { InputError } from "../../util/errors.ts";
import { APPLICATION_ID, CREATE, HISTORY_VERSION } from "./schema.ts";

/** Longest wait for another process that writes, ms. */
const PATIENCE_MS = 10_000;

/**
 * Opens a history.
 *
 * @example
 * ```ts
 * import { openHistory } from "./open_history.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const history = openHistory(`${folder}/history.sqlite`, "create");
 * console.log(history.prepare("SELECT count(*) AS runs FROM runs").get()?.["runs"]); // 0
 * history.close();
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @param path The file.
 * @param mode "read": it must exist, and is not written. "create": it is made if it does not exist.
 * @returns The open database; its user closes it.
 * @throws {InputError} If it does not exist, is another program's, damaged, or of another version.
 */
export function openHistory(path: string, mode: "read" | "create"): DatabaseSync {
  const isNew = !exists(path);
  if (isNew && mode === "read") {
    throw new InputError(`Cannot read ${path}: there is no such file; deno task history rebuild FOLDER... makes it`);
  }
  let history: DatabaseSync | undefined;
  try {
    history = new DatabaseSync(path, { readOnly: mode === "read" });
    history.exec(`PRAGMA busy_timeout = ${PATIENCE_MS}; PRAGMA foreign_keys = ON;`);
    if (isNew) history.exec(CREATE);
    const application = pragma(history, "application_id"), version = pragma(history, "user_version");
    if (application !== APPLICATION_ID) throw new InputError(`Cannot read ${path}: it is no history of kvcompress`);
    if (version !== HISTORY_VERSION) {
      throw new InputError(
        `Cannot read ${path}: it is of version ${version}, this is ${HISTORY_VERSION}; deno task history rebuild makes it again`,
      );
    }
    return history;
  } catch (error) {
    history?.close();
    if (error instanceof InputError || !(error instanceof Error)) throw error;
    throw cannotOpen(path, error);
  }
}

/** Explains why SQLite refuses a file. */
function cannotOpen(path: string, cause: Error): InputError {
  const isDamaged = /not a database|malformed/.test(cause.message);
  const remedy = isDamaged ? "; remove it, and deno task history rebuild FOLDER... makes it again" : "";
  return new InputError(`Cannot read ${path}: ${cause.message}${remedy}`, { cause });
}

function pragma(history: DatabaseSync, name: string): unknown {
  return history.prepare(`PRAGMA ${name}`).get()?.[name];
}

function exists(path: string): boolean {
  try {
    // SQLite makes a database of an empty file, and so does this.
    return Deno.statSync(path).size > 0;
  } catch {
    return false;
  }
}
