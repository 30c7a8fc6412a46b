/** A GGUF file's model is the one that its safetensors folder has, bit for bit. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { join } from "@std/path";
import { planConversion } from "../../../lib/model/gguf/convert.ts";
import { openModelFolder } from "../../../lib/model/folder/model_folder.ts";
import { goldenOf, TINY } from "../_golden_logits.ts";
import { logitsOf, temporaryFolder } from "../_models.ts";
import { tinyGguf } from "./_gguf.ts";

const CASES = [
  ["llama-gqa", "llama", false],
  ["qwen2", "qwen2", false],
  ["qwen3", "qwen3", false],
  ["gemma", "gemma", false],
  ["phi", "phi2", false],
  ["phi", "phi2", true],
] as const;

for (const [name, architecture, packed] of CASES) {
  Deno.test(`${name} gives the same logits from GGUF${packed ? " with queries, keys and values in one" : ""}`, async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "model.gguf");
    await Deno.writeFile(file, tinyGguf(name, architecture, packed));
    const converted = join(folder.path, "converted");
    await Deno.mkdir(converted);
    await planConversion(file).write(converted);
    const { ids } = goldenOf(name);
    const original = new URL(name, TINY).pathname;
    const { gguf, spec } = openModelFolder(converted);
    equal(gguf?.types, "F32");
    equal(gguf?.file, "model.gguf");
    const { rope, norm, maxPositions } = openModelFolder(original).spec;
    deepEqual([spec.rope, spec.norm, spec.maxPositions], [rope, norm, maxPositions]);
    const got = logitsOf(converted, ids), wanted = logitsOf(original, ids);
    ok(wanted.flatMap((row) => [...row]).some((logit) => logit !== 0));
    if (name === "gemma") {
      // One was added to the norms in float32, so their last bits are gone.
      got.forEach((row, i) => row.forEach((logit, j) => ok(Math.abs(logit - wanted[i]![j]!) < 1e-4)));
    } else deepEqual(got, wanted);
  });
}
