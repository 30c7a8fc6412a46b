import { InputError } from "../util/errors.ts";
import { readJsonObject } from "../model/folder/json_file.ts";
import { writeRandomModel } from "../model/random_model.ts";
import { SHAPES } from "../model/shapes.ts";
import { suggest } from "../util/suggest.ts";

/** A model folder that is removed at the end of the scope, unless it is kept. */
export class TemporaryModel implements Disposable {
  /** The folder. */
  readonly path: string;
  /** Also removes it if Deno.exit ends the process, which leaves no scope. */
  readonly #remove = () => {
    globalThis.removeEventListener("unload", this.#remove);
    if (!this.keep) Deno.removeSync(this.path, { recursive: true });
  };

  /**
   * Makes a model with random float16 weights, in the system's folder for temporary files.
   *
   * @param config Content of its config.json.
   * @param keep Whether to leave it there.
   * @throws {InputError} If the config is not of a supported model, or the disk lacks room.
   */
  constructor(config: Readonly<Record<string, unknown>>, readonly keep: boolean) {
    this.path = Deno.makeTempDirSync({ prefix: "kvcompress_engine_" });
    globalThis.addEventListener("unload", this.#remove);
    try {
      writeRandomModel(config, this.path);
    } catch (error) {
      globalThis.removeEventListener("unload", this.#remove);
      Deno.removeSync(this.path, { recursive: true });
      if (error instanceof InputError) throw error;
      throw new InputError(
        `Cannot make the model in ${this.path}: ${(error as Error).message}; TMPDIR names a folder that has room`,
        { cause: error },
      );
    }
  }

  [Symbol.dispose](): void {
    this.#remove();
  }
}

/**
 * Returns the config.json of a shape.
 *
 * @example
 * ```ts
 * import { shapeConfig } from "./model_maker.ts";
 *
 * console.log(shapeConfig("pythia-70m").hidden_size); // 512
 * ```
 *
 * @param shape Name of a known shape, or the path of a config.json.
 * @returns Its content.
 * @throws {InputError} If it is neither.
 */
export function shapeConfig(shape: string): Readonly<Record<string, unknown>> {
  if (Object.hasOwn(SHAPES, shape)) return SHAPES[shape]!;
  if (shape.endsWith(".json")) return readJsonObject(shape);
  const names = Object.keys(SHAPES);
  const near = suggest(shape, names);
  throw new InputError(
    `Cannot read --shape: found ${JSON.stringify(shape)}, ${
      near === undefined ? "" : `did you mean ${near}? `
    }give one of ${names.join(", ")}, or the path of a config.json`,
  );
}
