/** Makes a quality pass whose logits go to a device that is always full; prints how it went. */
import { Engine } from "../../lib/engine/engine.ts";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import { measureQuality } from "../../lib/run/measure/quality.ts";
import { ReferenceWriter } from "../../lib/run/measure/reference_writer.ts";
import { embeddedModel, goldenTokens } from "../parity/golden.ts";

const runtime = openRuntime("cpu");
const model = embeddedModel();
const { layers, vocab } = model.spec;
using engine = new Engine(runtime, model, {
  dtype: "float32",
  attention: "fused",
  maxPositions: 8,
  table: { layers: Array.from({ length: layers }, () => []) },
  logits: "last",
});
using writer = new ReferenceWriter(runtime.device, "/dev/full", vocab, { first: 0, stride: 1 });
const { nll } = measureQuality(engine, goldenTokens, 8, 0, undefined, true, writer);
console.log(nll.length, writer.finish());
