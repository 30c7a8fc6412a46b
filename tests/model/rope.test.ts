import { deepEqual, equal } from "node:assert/strict";
import { ConfigReader } from "../../lib/model/folder/config_reader.ts";
import { readRope } from "../../lib/model/graph/rope/read_rope.ts";
import { rotations } from "../../lib/model/graph/rope/rope.ts";

Deno.test("rotations() turn position 0 by nothing, and later ones by float32's angle", () => {
  const rope = readRope(new ConfigReader("config.json", {}), 80, {
    theta: 10000,
    fraction: 0.25,
    partial: true,
    maxPositions: 2048,
  });
  equal(rope.dim, 20);
  const { cos, sin } = rotations(rope, 2049);
  deepEqual(cos.slice(0, 10), new Float32Array(10).fill(1));
  deepEqual(sin.slice(0, 10), new Float32Array(10));
  const at = 2048 * 10;
  // theta^(-2 / 20) in float32 is 0.3981071710586548; the product with 2048 is rounded once more.
  equal(rope.frequencies[1], 0.3981071710586548);
  equal(cos[at + 1], Math.fround(Math.cos(815.323486328125)));
  equal(sin[at], Math.fround(Math.sin(2048)));
});
