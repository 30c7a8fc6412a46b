/**
 * `deno task random-model SHAPE FOLDER`: writes a model folder with random weights of a known shape, to measure speed
 * and memory without the real weights. The tokenizer is the embedded model's.
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { writeRandomModel } from "../../lib/model/random_model.ts";
import { SHAPES } from "../../lib/model/shapes.ts";
import { fromUserFolder } from "../../lib/process/user_folder.ts";

if (import.meta.main) {
  const [shape = "", asked] = Deno.args;
  const config = Object.hasOwn(SHAPES, shape) ? SHAPES[shape] : undefined;
  if (config === undefined || asked === undefined) {
    console.error(`Usage: deno task random-model SHAPE FOLDER, with SHAPE one of ${Object.keys(SHAPES).join(", ")}`);
    Deno.exit(2);
  }
  const folder = fromUserFolder(asked);
  const bytes = writeRandomModel(config, folder);
  const tokenizer = new URL("../../lib/assets/novel-neox-8m/tokenizer.json", import.meta.url);
  Deno.copyFileSync(fromFileUrl(tokenizer), join(folder, "tokenizer.json"));
  console.log(`${folder}: ${shape} with random float16 weights, ${(bytes / 1e9).toFixed(2)} GB`);
}
