import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../../lib/util/errors.ts";
import { createResultsFolder, localTimestamp, modelFileName } from "../../lib/report/results/results_folder.ts";

const RUN = { method: "streaming_llm", modelId: "/models/pythia-2.8b/", timestamp: "20241230_153045" };

Deno.test("localTimestamp() is local time with every part padded", () => {
  assert.equal(localTimestamp(new Date(2025, 0, 2, 3, 4, 5)), "20250102_030405");
  assert.match(localTimestamp(), /^\d{8}_\d{6}$/);
});

Deno.test("modelFileName() is the last path part", () => {
  assert.equal(modelFileName("EleutherAI/pythia-2.8b"), "pythia-2.8b");
  assert.equal(modelFileName("C:\\models\\gpt2\\"), "gpt2");
  assert.equal(modelFileName("/models/gpt2/onnx/model_q4.onnx"), "gpt2_model_q4");
  assert.equal(modelFileName("gpt2/decoder_model_merged.onnx"), "gpt2_decoder_model_merged");
  assert.equal(modelFileName("model.onnx"), "model");
  assert.equal(modelFileName("../models/."), "models");
  assert.equal(modelFileName("/"), "model");
  assert.equal(modelFileName(".."), "model");
});

Deno.test("modelFileName() is one path part on every system, whatever the model is called", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (id) => {
    assert.match(modelFileName(id), /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,79}$/);
  }));
});

Deno.test("createResultsFolder() gives each of many runs in one second a folder of its own", async () => {
  const output = `${await Deno.makeTempDir({ prefix: "kvcompress_test_" })}/deep/down`;
  try {
    const folders = await Promise.all(Array.from({ length: 20 }, () => createResultsFolder({ ...RUN, output })));
    const first = `${output}/streaming_llm_pythia-2.8b_20241230_153045`;
    assert.deepEqual(folders.toSorted(), [first, ...Array.from({ length: 19 }, (_, i) => `${first}_${i + 2}`)].sort());
    assert.equal([...Deno.readDirSync(output)].length, 20);
  } finally {
    await Deno.remove(output.slice(0, -"/deep/down".length), { recursive: true });
  }
});

Deno.test("createResultsFolder() says why it cannot, naming --output", async () => {
  const output = await Deno.makeTempFile({ prefix: "kvcompress_test_" });
  try {
    await assert.rejects(
      createResultsFolder({ ...RUN, output }),
      new InputError(
        `Cannot write results to ${output}: there is a file where a folder is needed; ` +
          `name a folder you may write to with --output`,
      ),
    );
    await assert.rejects(createResultsFolder({ ...RUN, output: `${output}/below` }), /a file where a folder is needed/);
  } finally {
    await Deno.remove(output);
  }
});

Deno.test({
  name: "createResultsFolder() says that permission is missing",
  permissions: { read: true, write: false },
  fn: async () => {
    await assert.rejects(
      createResultsFolder({ ...RUN, output: "/results" }),
      /^InputError: Cannot write results to \/results: this process was started without --allow-write for it; .*--output$/,
    );
  },
});
