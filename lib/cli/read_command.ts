import { join } from "@std/path";
import { InputError } from "../util/errors.ts";
import { isRepoId } from "../hub/repo.ts";
import { isThere } from "../model/folder/files.ts";
import { list, object, optional, string } from "../report/results/json_reader.ts";
import { readJson } from "../report/results/read_json.ts";
import { RESULTS_FILE } from "../report/results/results_file.ts";
import { fromUserFolder } from "../process/user_folder.ts";
import { EMBEDDED_MODEL_ID } from "../run/plan/find_model.ts";
import { type Flags, parseCommandLine } from "./flags/parse.ts";

/** What a command line asks for. */
export interface Command {
  /** Its flags; paths are absolute. */
  readonly flags: Flags;
  /** The command line in a form that can be run again: paths are absolute, and `--resume` and `--keep_failed` are removed. */
  readonly command: string[];
}

/**
 * Reads the command line of `deno task bench`: paths are relative to the user's current folder. With `--resume`, flags
 * that are not given come from that run.
 *
 * @example
 * ```ts
 * import { readCommand } from "./read_command.ts";
 *
 * const { flags } = await readCommand(["--output", "/data/results"]);
 * console.log(flags.output); // /data/results
 * ```
 *
 * @param argv The arguments, as in `Deno.args`.
 * @returns Flags and command.
 * @throws {InputError} Naming the flag, what was found and what would do.
 */
export async function readCommand(argv: readonly string[]): Promise<Command> {
  const asked = read(argv);
  const { resume, help, version } = asked.flags;
  if (resume === undefined || help || version) return asked;
  const { resume: _, ...own } = parseCommandLine(argv).texts;
  // How the earlier run's results were printed does not decide how these are.
  const { json: __, format: ___, memory: ____, ...earlier } =
    parseCommandLine(await earlierCommand(fromUserFolder(resume))).texts;
  return read(toArguments({ ...earlier, ...own, resume }));
}

function read(argv: readonly string[]): Command {
  const { flags, texts } = parseCommandLine(argv);
  const { resume: resumed, ...paths } = absolutePaths(flags);
  const given = Object.entries(paths).filter(([name]) => Object.hasOwn(texts, name));
  const { resume: _, keep_failed: __, ...others } = { ...texts, ...Object.fromEntries(given) };
  return { flags: { ...flags, ...paths, resume: resumed }, command: toArguments(others) };
}

/**
 * Makes paths absolute: they are relative to the user's current folder. Names that are no paths stay.
 *
 * @example
 * ```ts
 * import { absolutePaths } from "./read_command.ts";
 *
 * const { model_id, output } = absolutePaths({ model_id: "org/name", dataset: "moby_dick", output: "/data", resume: undefined });
 * console.log(model_id, output); // org/name /data
 * ```
 *
 * @param flags Flags that may be paths.
 * @returns The same flags.
 */
export function absolutePaths(
  { model_id, dataset, output, resume }: Pick<Flags, "model_id" | "dataset" | "output" | "resume">,
): Pick<Flags, "model_id" | "dataset" | "output" | "resume"> {
  return {
    model_id: modelPath(model_id),
    dataset: dataset !== "-" && isThere(fromUserFolder(dataset)) ? fromUserFolder(dataset) : dataset,
    output: fromUserFolder(output),
    resume: resume === undefined ? undefined : fromUserFolder(resume),
  };
}

function toArguments(texts: Readonly<Record<string, string>>): string[] {
  return Object.entries(texts).map(([name, text]) => `--${name}=${text}`);
}

const withCommand = object({ config: object<{ command?: string[] }>({ command: optional(list(string)) }) });

async function earlierCommand(folder: string): Promise<readonly string[]> {
  if (!isThere(join(folder, RESULTS_FILE))) {
    throw new InputError(`Cannot resume ${folder}: it holds no ${RESULTS_FILE}; give the folder of an earlier run`);
  }
  const { config } = await readJson(join(folder, RESULTS_FILE), withCommand);
  return config.command ?? [];
}

/** Makes a model's path absolute. The embedded model and a model on the hub keep their names. */
function modelPath(model: string): string {
  const path = fromUserFolder(model);
  return model === EMBEDDED_MODEL_ID || !isThere(path) && isRepoId(model) ? model : path;
}
