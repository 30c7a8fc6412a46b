import { InputError } from "../util/errors.ts";
import { readJsonObject } from "../model/folder/json_file.ts";
import { writeRandomModel } from "../model/random_model.ts";
import { SHAPES } from "../model/shapes.ts";
import { suggest } from "../util/suggest.ts";

/** A model folder that goes with the scope, unless it is to be kept. */
export class TemporaryModel implements Disposable {
  /** The folder. */
  readonly path: string;
  /** Also where the process is ended by Deno.exit, which leaves no scope. */
  readonly #remove = () => {
    globalThis.removeEventListener("unload", this.#remove);
    if (!this.keep) Deno.removeSync(this.path, { recursive: true });
  };

  /**
   * Makes a model with random float16 weights, in the system's folder for temporary files.
   *
   * @param config What its config.json holds.
   * @param keep Leave it there.
   * @throws {InputError} If the config is of no supported model, or there is no room for it.
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
 * The config.json of a shape.
 *
 * @example
 * ```ts
 * import { shapeConfig } from "./model_maker.ts";
 *
 * console.log(shapeConfig("pythia-70m").hidden_size); // 512
 * ```
 *
 * @param shape Name of a known shape, or the path of a config.json.
 * @returns What it holds.
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
