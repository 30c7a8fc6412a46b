/** Where an export's weights lie in their file: plain decimal numbers, as ONNX Runtime reads them, or nothing. */
import { equal, match, ok, throws } from "node:assert/strict";
import proto from "onnx-proto";
import { InputError } from "../../lib/util/errors.ts";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { exported, ExportFolder } from "./_exports.ts";

const { onnx } = proto;

/** An export whose first weight says this of where it lies. */
async function openWith(key: string, value: string) {
  using folder = new ExportFolder();
  const model = onnx.ModelProto.decode(await exported("fused.onnx"));
  const tensor = model.graph!.initializer!.find(({ externalData }) =>
    externalData?.some(({ key }) => key === "length")
  )!;
  equal(tensor.externalData!.some((entry) => entry.key === key), true);
  for (const entry of tensor.externalData!) if (entry.key === key) entry.value = value;
  folder.write("model.onnx", onnx.ModelProto.encode(model).finish());
  await folder.put("fused.onnx.data", "model.onnx.data");
  openModelFolder(folder.path);
}

for (const key of ["offset", "length"]) {
  Deno.test(`an export's ${key} is digits`, async () => {
    for (
      const value of [
        "0x10",
        "1e1",
        " 8 ",
        "-1",
        "",
        "+8",
        "8.0",
        "8\n",
        "٨",
        "Infinity",
        "9007199254740993",
        "\x1b[2J",
      ]
    ) {
      await openWith(key, value).then(
        () => ok(false, `${JSON.stringify(value)} is taken`),
        (error: Error) => {
          ok(error instanceof InputError, String(error));
          match(
            error.message,
            new RegExp(`^Cannot use .*model\\.onnx: tensor "[^"]+" has ${key} ".*" in its file, not a decimal number`),
          );
          // deno-lint-ignore no-control-regex
          ok(!/[\x00-\x1f]/.test(error.message));
        },
      );
    }
  });
}

Deno.test("an export's weights end where their file does", async () => {
  await openWith("offset", "0");
  for (const [key, value] of [["offset", "99999999"], ["length", "99999999"]] as const) {
    await openWith(key, value).then(
      () => ok(false),
      ({ message }) => match(message, /ends at byte \d+ of .*model\.onnx\.data, which has \d+/),
    );
  }
});

Deno.test("an .onnx file of zeros is refused at once, whatever its size", () => {
  using folder = new ExportFolder();
  const path = folder.write("model.onnx", new Uint8Array());
  Deno.truncateSync(path, 100e9);
  const began = performance.now();
  throws(() => openModelFolder(folder.path), /it is no ONNX model/);
  ok(performance.now() - began < 1000);
});
