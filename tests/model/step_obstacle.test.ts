/** What the kernels of a step cannot do is reported beforehand, with the field that causes it. */
import { deepEqual, equal } from "node:assert/strict";
import { SHAPES } from "../../lib/model/shapes.ts";
import { ConfigReader } from "../../lib/model/folder/config_reader.ts";
import { openModelFolder, specOf } from "../../lib/model/folder/model_folder.ts";
import type { ModelSpec } from "../../lib/model/spec.ts";
import { stepObstacle } from "../../lib/model/step/step_obstacle.ts";
import { embeddedModel } from "../parity/golden.ts";

const { spec } = embeddedModel();
const options = { dtype: "float16", maxPositions: 2048 } as const;
const of = (change: Partial<ModelSpec>, more: Partial<typeof options> | object = {}) =>
  stepObstacle({ ...spec, ...change }, { ...options, ...more });

Deno.test("stepObstacle() has nothing against the embedded model, in any type", () => {
  for (const dtype of ["float32", "float16", "bfloat16"] as const) equal(of({}, { dtype }), undefined);
});

Deno.test("stepObstacle() names sizes that loads of 16 bytes do not divide", () => {
  equal(of({ intermediate: 1028 }), "its intermediate, 1028, is no multiple of 8");
  equal(of({ intermediate: 1028 }, { dtype: "float32" }), undefined);
  equal(of({ intermediate: 1027 }, { dtype: "float32" }), "its intermediate, 1027, is no multiple of 4");
  equal(of({ headDim: 100 }), "its headDim, 100, is no multiple of 8");
  equal(of({ headDim: 100 }, { dtype: "float32" }), undefined);
  equal(of({ hidden: 258 }), "its hidden, 258, is no multiple of 8");
});

Deno.test("stepObstacle() knows how large heads may be, and how many to a KV head", () => {
  equal(of({ headDim: 512 }), undefined);
  equal(of({ headDim: 520 }), "its heads are too large, or too many to a KV head");
  equal(of({ heads: 64, kvHeads: 1 }), undefined);
  equal(of({ heads: 65, kvHeads: 1 }), "its heads are too large, or too many to a KV head");
});

Deno.test("stepObstacle() refuses windows and growing frequencies only if the text is longer", () => {
  const window = (layer: number) => layer === 1 ? 1000 : undefined;
  equal(of({ window }), "its sliding window is shorter than the text");
  equal(of({ window }, { maxPositions: 1000 }), undefined);
  const { rope: growing } = openModelFolder(new URL("../fixtures/tiny/llama-dynamic", import.meta.url).pathname).spec;
  const { from } = growing!.growth!;
  equal(of({ rope: growing! }, { maxPositions: from + 1 }), "its rotary frequencies change with the text's length");
  equal(of({ rope: growing! }, { maxPositions: from }), undefined);
});

Deno.test("stepObstacle() refuses sums that are normalized, and embeddings that are projected", () => {
  equal(of({ residual: "post" }), "it normalizes sums, or projects its embeddings");
  const projected = { width: 128, in: { weight: "in" }, out: { weight: "out" } };
  equal(of({ projected }), "it normalizes sums, or projects its embeddings");
});

Deno.test("no shape that can be made at random has an obstacle at 2048 tokens", () => {
  const obstacles = Object.entries(SHAPES).flatMap(([name, config]) => {
    const obstacle = stepObstacle(specOf(new ConfigReader(name, config)), options);
    return obstacle === undefined ? [] : [`${name}: ${obstacle}`];
  });
  deepEqual(obstacles, []);
});
