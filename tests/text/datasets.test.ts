import assert from "node:assert/strict";
import { InputError } from "../../lib/errors.ts";
import { loadText } from "../../lib/text/datasets.ts";
import { withFolder } from "./_tokenizers.ts";

const refuses = async (dataset: string, pattern: RegExp) =>
  await assert.rejects(loadText(dataset), (error: Error) => {
    assert(error instanceof InputError, String(error));
    assert.match(error.message, pattern);
    assert(error.message.startsWith(`Cannot read --dataset ${dataset}: `), error.message);
    return true;
  });

Deno.test("loadText() has Moby Dick", async () => {
  const { name, texts, sha256 } = await loadText("moby_dick");
  assert.equal(name, "moby_dick");
  assert.equal(texts.length, 1);
  assert(texts[0]!.startsWith("CHAPTER 1. Loomings.\n\nCall me Ishmael."));
  assert.equal(texts[0]!.length, 1_190_317);
  assert.match(sha256, /^[0-9a-f]{64}$/);
});

Deno.test("loadText() reads a file, without its byte order mark", async () => {
  await withFolder({ "a.txt": "\ufeffNaïve 🐋\r\n", "b": "abc" }, async (folder) => {
    assert.deepEqual((await loadText(`${folder}/a.txt`)).texts, ["Naïve 🐋\r\n"]);
    // SHA-256 of "abc", as in the standard's example.
    const expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert.deepEqual(await loadText(`${folder}/b`), { name: `${folder}/b`, texts: ["abc"], sha256: expected });
  });
});

Deno.test("loadText() says what is wrong with a file", async () => {
  const files = {
    "empty.txt": "",
    "blank.txt": "\ufeff \n",
    "latin1.txt": new Uint8Array([0x6e, 0x61, 0xef, 0x76, 0x65]),
    "utf16.txt": new Uint8Array([0xff, 0xfe, 0x61, 0]),
    "binary.txt": new Uint8Array([0x61, 0, 0x62]),
  };
  await withFolder(files, async (folder) => {
    await refuses(`${folder}/empty.txt`, /it holds no text/);
    await refuses(`${folder}/blank.txt`, /it holds no text/);
    await refuses(`${folder}/latin1.txt`, /it is not UTF-8; save it as UTF-8/);
    await refuses(`${folder}/utf16.txt`, /it is UTF-16; save it as UTF-8/);
    await refuses(`${folder}/binary.txt`, /it is a binary file; give a UTF-8 \.txt file/);
    await refuses(`${folder}/none.txt`, /there is no such file; give moby_dick or a UTF-8 \.txt file/);
    await refuses(`${folder}/empty.txt/none.txt`, /Cannot read/);
    await refuses(folder, /it is a folder; give a UTF-8 \.txt file/);
  });
  await refuses("toString", /there is no such file/);
  await refuses("book.JSONL", /\.jsonl files are not there yet/);
  await refuses("-", /standard input is not there yet/);
});
