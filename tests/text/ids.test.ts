/** Token ids come from a file: an id outside of the model's vocabulary is refused, with its value and its file. */
import { doesNotThrow, match, rejects, throws } from "node:assert/strict";
import { InputError } from "../../lib/util/errors.ts";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { checkTokens } from "../../lib/run/plan/check_input.ts";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";
import { embeddedJson, withFolder } from "./_tokenizers.ts";

for (
  const [id, shown] of [
    [-1, "-1"],
    [0.5, "0.5"],
    ["7", '"7"'],
    [{ a: 1 }, "an object with 1 field"],
    [[3], "\\[3\\]"],
    [true, "true"],
    [1e300, "1e\\+300"],
  ] as const
) {
  Deno.test(`an id that is ${JSON.stringify(id)} is refused`, async () => {
    const json = await embeddedJson();
    const vocab: Record<string, unknown> = { ...json.model.vocab };
    for (const letter of ["e", "Ġe", "he", "Ġthe"]) vocab[letter] = id;
    const files = { "tokenizer.json": { ...json, model: { ...json.model, vocab, merges: [] } } };
    await withFolder(files, async (folder) => {
      const { encode } = await loadTokenizer(folder);
      throws(() => encode("the whale"), (error: Error) => {
        match(
          error.message,
          new RegExp(`^Cannot use the tokenizer of .*tokenizer\\.json: it gives ${shown} as the id of token 2`),
        );
        return error instanceof InputError;
      });
    });
    // The prefix of every text as well.
    const special = { SpecialToken: { id: "<|endoftext|>", type_id: 0 } };
    const post_processor = {
      type: "TemplateProcessing",
      single: [special, { Sequence: { id: "A", type_id: 0 } }],
      pair: [],
      special_tokens: { "<|endoftext|>": { id: "<|endoftext|>", ids: [id], tokens: ["<|endoftext|>"] } },
    };
    const added = (json.added_tokens as { content: string }[]).map((token) => ({ ...token, id }));
    await withFolder(
      { "tokenizer.json": { ...json, added_tokens: added, post_processor } },
      (folder) =>
        rejects(loadTokenizer(folder), (error: Error) => {
          match(error.message, new RegExp(`tokenizer\\.json`));
          return error instanceof InputError;
        }),
    );
  });
}

Deno.test("checkTokens() takes the ids that a model has, and no others", () => {
  const model = openModelFolder("lib/assets/novel-neox-8m");
  doesNotThrow(() => checkTokens([[0, 4095], [17]], model));
  for (const id of [4096, -1, 0.5, NaN, Infinity, undefined, null, "1", {}]) {
    throws(() => checkTokens([[0], [1, id as number]], model), (error: Error) => {
      match(error.message, /^Cannot use the tokenizer of .*: it gives token .+, config\.json's vocab_size is 4096/);
      return error instanceof InputError;
    });
  }
});
