/** Beginning-of-text tokens, compared with transformers' AutoTokenizer on the same files (fixtures/bos.json). */
import assert from "node:assert/strict";
import { InputError } from "../../lib/util/errors.ts";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";
import reference from "../fixtures/bos.json" with { type: "json" };
import { embeddedJson, metaspaceJson, withFolder } from "./_tokenizers.ts";

const bos = "<|endoftext|>";
const embedded = lettersOnly(await embeddedJson());
const metaspace = lettersOnly(await metaspaceJson());
const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
const processors: Record<string, unknown> = {
  null: null,
  bytelevel: byteLevel,
  bos: embedded.post_processor,
  seq: { type: "Sequence", processors: [byteLevel, embedded.post_processor] },
};

/** The same tokenizer without its merges: the prefix of a text does not depend on them, and loading is faster. */
function lettersOnly(json: Awaited<ReturnType<typeof embeddedJson>>) {
  const vocab = Object.entries(json.model.vocab).filter(([token]) => [...token].length === 1 || token.startsWith("<"));
  return { ...json, model: { ...json.model, vocab: Object.fromEntries(vocab), merges: [] } };
}

for (const [name, byProcessor] of Object.entries(reference.begins)) {
  Deno.test(`loadTokenizer() puts the token before a text where transformers does: ${name}`, async () => {
    const modelType = /^model_type ([a-z0-9_]+)/.exec(name)?.[1]?.replace(/-meta$/, "");
    const json = /Llama|Gemma|meta|gemma/.test(name) ? metaspace : embedded;
    for (const [processor, byAdd] of Object.entries(byProcessor)) {
      for (const [add, begins] of Object.entries(byAdd)) {
        const files = {
          "tokenizer.json": { ...json, post_processor: processors[processor] },
          "tokenizer_config.json": {
            bos_token: bos,
            ...(modelType === undefined ? { tokenizer_class: name } : {}),
            ...(add === "absent" ? {} : { add_bos_token: add === "true" }),
          },
          "config.json": { model_type: modelType ?? "llama" },
        };
        const { prefix } = await withFolder(files, loadTokenizer);
        assert.deepEqual(prefix, begins ? [0] : [], `${processor}, add_bos_token ${add}`);
      }
    }
  });
}

Deno.test("loadTokenizer() takes tokenizer.json as it is where there is no tokenizer_config.json", async () => {
  const files = { "tokenizer.json": embedded, "config.json": { model_type: "gpt_neox" } };
  assert.deepEqual((await withFolder(files, loadTokenizer)).prefix, [0]);
});

Deno.test("loadTokenizer() knows a token by its content, and refuses one that has no id", async () => {
  const load = (config: object) =>
    withFolder({
      "tokenizer.json": embedded,
      "tokenizer_config.json": { tokenizer_class: "LlamaTokenizer", ...config },
    }, loadTokenizer);
  assert.deepEqual((await load({ bos_token: { content: bos, lstrip: false } })).prefix, [0]);
  await assert.rejects(load({}), (error: Error) => {
    assert(error instanceof InputError);
    assert.match(
      error.message,
      /^Cannot load the tokenizer: texts begin with its bos_token "<s>", which tokenizer\.json has no id for; /,
    );
    return true;
  });
});
