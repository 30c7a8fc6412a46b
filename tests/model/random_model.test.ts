import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { join } from "@std/path";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { writeRandomModel } from "../../lib/model/random_model.ts";
import { configOf, logitsOf, neox, temporaryFolder } from "./_models.ts";

// Of more weights than are drawn, so that they repeat.
const config = configOf(neox({ hidden: 32, vocab: 40_000 }));

Deno.test("writeRandomModel() writes a folder that opens and runs, in each type", () => {
  for (const dtype of ["float32", "float16", "bfloat16"] as const) {
    using folder = temporaryFolder();
    const path = join(folder.path, "made", "for it");
    const bytes = writeRandomModel(config, path, dtype);
    const { tensors } = openModelFolder(path);
    equal([...tensors.values()].reduce((sum, tensor) => sum + tensor.bytes, 0), bytes);
    for (const tensor of tensors.values()) equal(tensor.dtype, dtype);
    equal([...tensors.values()][0]!.offset % 8, 0);
    for (const row of logitsOf(path, [1, 39_999, 2])) ok(row.every(Number.isFinite));
  }
});

Deno.test("writeRandomModel() draws matrices around 0, sets norms to 1 and biases to 0, by the seed", () => {
  using folder = temporaryFolder();
  const draw = (seed: number) => {
    writeRandomModel(config, folder.path, "float32", seed);
    const bytes = Deno.readFileSync(join(folder.path, "model.safetensors"));
    const { tensors } = openModelFolder(folder.path);
    return (name: string) => {
      const { offset, bytes: length } = tensors.get(name)!;
      return new Float32Array(bytes.slice(offset, offset + length).buffer);
    };
  };
  const weights = draw(1);
  const matrix = weights("gpt_neox.embed_in.weight");
  const mean = matrix.reduce((a, b) => a + b) / matrix.length;
  const deviation = Math.sqrt(matrix.reduce((sum, x) => sum + (x - mean) ** 2, 0) / matrix.length);
  ok(Math.abs(mean) < 1e-4, `${mean}`);
  ok(Math.abs(deviation - 0.02) < 1e-4, `${deviation}`);
  ok(weights("gpt_neox.layers.0.input_layernorm.weight").every((x) => x === 1));
  ok(weights("gpt_neox.layers.1.mlp.dense_4h_to_h.bias").every((x) => x === 0));
  deepEqual(draw(1)("embed_out.weight"), weights("embed_out.weight"));
  ok(draw(2)("embed_out.weight")[0] !== weights("embed_out.weight")[0]);
});

Deno.test("writeRandomModel() writes nothing for a config that is no model's", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "nothing");
  throws(() => writeRandomModel({ ...config, hidden_size: 0 }, path), {
    name: "InputError",
    message: /^Cannot use the config: field "hidden_size" must be/,
  });
  throws(() => Deno.statSync(path), Deno.errors.NotFound);
});
