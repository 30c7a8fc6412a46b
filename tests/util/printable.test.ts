import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { join } from "@std/path";
import fc from "fast-check";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { createProgress } from "../../lib/cli/progress/progress.ts";
import { notJson, printable, printableJson, printableLines } from "../../lib/util/printable.ts";
import { reasonOf } from "../../lib/run/child/child.ts";
import { bench, TemporaryFolder, tiny } from "../bench/_bench.ts";

/** Characters that control a terminal or mislead a reader. */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const anything = fc.string({ unit: "binary", maxLength: 40 });
const hostile = "\x1b[2J\x9b31m\u202e\r\n\0\x07";

Deno.test("printable() is one line without control characters, of no more than its limit", () => {
  fc.assert(fc.property(anything, fc.nat(20), (text, max) => {
    const shown = printable(text, max);
    ok(!UNSAFE.test(shown) && !/[\n\t]/.test(shown));
    // An escape has up to six characters.
    ok(shown.length <= 6 * max + 1);
    ok(shown.isWellFormed());
  }));
  equal(printable("naïve 鯨 🐋"), "naïve 鯨 🐋");
  equal(printable("a\n\tb"), "a\\n\\tb");
  equal(printable("🐋🐋", 3), "🐋…");
});

Deno.test("printableLines() leaves newlines and tabs, printableJson() the value", () => {
  equal(printableLines("Cannot x\n\ttried: é\x1b[0m"), "Cannot x\n\ttried: é\\x1b[0m");
  fc.assert(fc.property(anything, anything, (key, value) => {
    const text = printableJson({ [key]: value });
    ok(!UNSAFE.test(text));
    deepEqual(JSON.parse(text), JSON.parse(JSON.stringify({ [key]: value })));
  }));
});

Deno.test("notJson() shows nothing of the text but the character that is wrong", () => {
  for (
    const text of ["root:x:0:0:secret", '{"a": secret}', `["${"long".repeat(1000)}", secret`, "", `\x1b${hostile}`]
  ) {
    try {
      JSON.parse(text);
    } catch (error) {
      const why = notJson(error);
      ok(!why.includes("secret") && !UNSAFE.test(why) && why.length > 0 && why.length < 200, why);
    }
  }
});

Deno.test("what is logged, and why a child ended, has no control characters", () => {
  for (const isTerminal of [false, true]) {
    let text = "";
    using progress = createProgress({ isTerminal, write: (more) => text += more });
    progress.log(`a${hostile}b`);
    ok(!UNSAFE.test(text), JSON.stringify(text));
  }
  const error = { type: "error", mistake: false, message: `x${hostile}${"n".repeat(1e6)}` } as const;
  const reason = reasonOf({ code: 1, signal: null, error, log: "" });
  ok(!UNSAFE.test(reason) && reason.length < 1000);
});

/** Makes a model with this config.json and this header of the weights. */
async function model(folder: string, config: object, header: object): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  const embedded = "lib/assets/novel-neox-8m";
  const original = JSON.parse(await Deno.readTextFile(join(embedded, "config.json")));
  await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify({ ...original, ...config }));
  await Deno.copyFile(join(embedded, "tokenizer.json"), join(folder, "tokenizer.json"));
  await Deno.writeFile(join(folder, "model.safetensors"), bytes);
  return folder;
}

Deno.test("names of megabytes and control characters make short lines", async () => {
  const long = "n".repeat(2_000_000);
  const empty = { dtype: "F32", shape: [0], data_offsets: [0, 0] };
  const cases: (readonly [object, object])[] = [
    [{ model_type: hostile }, {}],
    [{ model_type: long }, {}],
    [{}, { [long]: { ...empty, dtype: 3 } }],
    [{}, { [hostile]: { ...empty, dtype: hostile, shape: [-1] } }],
    [{}, { [long]: empty }],
    [{}, { "gpt_neox.embed_in.weight": { ...empty, shape: new Array(100_000).fill(0) } }],
    [{}, { "gpt_neox.embed_in.weight": { dtype: hostile, shape: [4096, 256], data_offsets: [0, 0] } }],
    [{}, { "gpt_neox.embed_in.weight": { dtype: long, shape: [4096, 256], data_offsets: [0, 0] } }],
  ];
  for (const [config, header] of cases) {
    await using folder = new TemporaryFolder();
    const path = await model(folder.path, config, header);
    throws(() => openModelFolder(path), ({ message }: Error) => {
      ok(!UNSAFE.test(message) && !message.includes("\n"), JSON.stringify(message.slice(0, 500)));
      ok(message.length < 2000, `${message.length} characters`);
      return true;
    });
  }
});

Deno.test("bench: a file's control characters do not reach the terminal", async () => {
  await using folder = new TemporaryFolder();
  const path = await model(folder.path, { model_type: hostile }, {});
  const { code, stderr } = await bench([...tiny, "--model_id", path, "--output", join(folder.path, "results")]);
  equal(code, 2);
  ok(!UNSAFE.test(stderr), JSON.stringify(stderr));
});
