import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { draftModel, entriesOf, readDraft, withFolder } from "../../lib/speculative/plan/draft_spec.ts";
import { checkSameVocabulary } from "../../lib/speculative/plan/same_vocabulary.ts";
import { promptOf, readWorkload } from "../../lib/speculative/plan/workload.ts";
import { verifierSizes } from "../../lib/speculative/child/speculator.ts";

Deno.test("readDraft() reads every kind of draft", () => {
  deepEqual(readDraft("ngram"), { kind: "ngram" });
  deepEqual(readDraft("self:tova:64"), { kind: "self", method: "tova", budget: 64 });
  deepEqual(readDraft("self:random:12.5%"), { kind: "self", method: "random", budget: "12.5%" });
  deepEqual(readDraft("oracle:0.8"), { kind: "oracle", rate: 0.8 });
  deepEqual(readDraft("oracle:1:self:h2o:32"), { kind: "oracle", rate: 1, inner: readDraft("self:h2o:32") });
  deepEqual(readDraft("oracle:.5:models/small"), { kind: "oracle", rate: 0.5, inner: readDraft("models/small") });
  deepEqual(readDraft("./ngram"), { kind: "model", model: "./ngram" });
  deepEqual(readDraft("C:/models/small"), { kind: "model", model: "C:/models/small" });
});

for (
  const [text, message] of [
    ["self:tov:64", /did you mean tova\?/],
    ["self:tova", /give a budget after the method, entries or a share, as in self:tova:256/],
    ["self:tova:0", /give a budget/],
    ["self:tova:8", /at least 16 entries/],
    ["self:tova:64:1", /give a budget/],
    ["self:baseline:64", /give one of recent_only/],
    ["oracle:1.5", /from 0 to 1/],
    ["oracle", /from 0 to 1/],
    ["oracle:0.5:ngram", /is a model, or self:METHOD:BUDGET/],
    ["", /give ngram, self:METHOD:BUDGET/],
  ] as const
) {
  Deno.test(`readDraft() refuses ${JSON.stringify(text)}`, () => {
    throws(() => readDraft(text), { name: "InputError", message });
    throws(() => readDraft(text), { message: /^Cannot read --draft: found "/ });
  });
}

Deno.test("a draft's model can be put in a folder", () => {
  equal(draftModel(readDraft("ngram")), undefined);
  equal(draftModel(readDraft("oracle:0.5:org/name")), "org/name");
  deepEqual(withFolder(readDraft("oracle:0.5:org/name"), "/f"), {
    kind: "oracle",
    rate: 0.5,
    inner: { kind: "model", model: "/f" },
  });
  deepEqual(withFolder(readDraft("self:tova:64"), "/f"), readDraft("self:tova:64"));
});

Deno.test("a share is that of the prompt, and never below the least budget", () => {
  deepEqual([entriesOf("50%", 301), entriesOf("1%", 100), entriesOf(20, 5)], [151, 16, 20]);
});

Deno.test("prompts have the length asked for", () => {
  const sample = Array.from({ length: 100 }, (_, i) => i);
  deepEqual(promptOf("text", sample, 5, []), [0, 1, 2, 3, 4]);
  deepEqual(promptOf("repeat", sample, 6, []), [0, 1, 2, 3, 0, 1]);
  const asked = promptOf("qa", sample, 40, [900, 901]);
  equal(asked.length, 40);
  // The quotation begins in the middle of the passage, and goes on there.
  deepEqual(asked.slice(28), [28, 29, 900, 901, 15, 16, 17, 18, 19, 20, 21, 22]);
  throws(() => promptOf("qa", sample, 20, [900, 901]), /^InputError: Cannot ask about a text of 20 tokens/);
  deepEqual(readWorkload("qa"), { workload: "qa", file: undefined });
  equal(readWorkload("deno.json").workload, "text");
  throws(() => readWorkload("chat"), /^InputError: Cannot read --workload: found "chat", give one of text, repeat, qa/);
});

Deno.test("passes that verify have the sizes that drafts need", () => {
  deepEqual(verifierSizes(1), [2]);
  deepEqual(verifierSizes(4), [2, 3, 5]);
  deepEqual(verifierSizes(6), [2, 3, 5, 7]);
  deepEqual(verifierSizes("auto"), [2, 3, 5, 9]);
  deepEqual(verifierSizes(15), [2, 3, 5, 9, 16]);
  deepEqual(verifierSizes(0), []);
});

Deno.test("a model with other tokens does not draft", async () => {
  const own = openModelFolder("lib/assets/novel-neox-8m");
  await checkSameVocabulary(own, own);
  const folder = await Deno.makeTempDir();
  try {
    const tokenizer = JSON.parse(await Deno.readTextFile(`${own.path}/tokenizer.json`));
    const write = (changed: unknown) => Deno.writeTextFile(`${folder}/tokenizer.json`, JSON.stringify(changed));
    const other = { ...own, path: folder };
    await write({ ...tokenizer, version: "another" });
    await checkSameVocabulary(own, other);
    const [a, b] = Object.keys(tokenizer.model.vocab).slice(-2) as [string, string];
    const { [a]: first, [b]: second } = tokenizer.model.vocab;
    await write({
      ...tokenizer,
      model: { ...tokenizer.model, vocab: { ...tokenizer.model.vocab, [a]: second, [b]: first } },
    });
    await rejects(checkSameVocabulary(own, other), {
      name: "InputError",
      message: /^Cannot draft with .*: its tokenizer\.json has other tokens/,
    });
    await Deno.remove(`${folder}/tokenizer.json`);
    await rejects(checkSameVocabulary(own, other), { name: "InputError", message: /^Cannot compare vocabularies/ });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
