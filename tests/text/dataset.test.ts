import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { openDataset } from "../../lib/text/dataset.ts";
import { sha256OfFile } from "../../lib/util/sha256.ts";
import { refuses, textsOf } from "./_dataset.ts";
import { gzip, withFolder } from "./_tokenizers.ts";

Deno.test("openDataset() has Moby Dick", async () => {
  const [text, ...others] = await textsOf("moby_dick", { minChars: 9e6 });
  assert.deepEqual(others, []);
  assert(text!.startsWith("CHAPTER 1. Loomings.\n\nCall me Ishmael."));
  assert.equal(text!.length, 1_190_317);
});

Deno.test("openDataset() has the messages on the State of the Union, in order of years", async () => {
  const all = await textsOf("sotu");
  assert.equal(all.length, 233);
  assert(all[0]!.startsWith("Fellow-Citizens of the Senate and House of Representatives: In meeting you again"));
  assert.equal(
    (await textsOf("sotu", { minChars: undefined })).length,
    all.filter((text) => [...text].length >= 10_000).length,
  );
});

Deno.test("a text file is one text, however short, without its byte order mark", async () => {
  const files = {
    "a.txt": "\ufeffNaïve 🐋\r\n",
    "b": "abc",
    "c.md": " \n".repeat(9000) + "c",
    "d.txt.gz": await gzip("Packed 🐋"),
  };
  await withFolder(files, async (folder) => {
    const minChars = 10_000;
    assert.deepEqual(await textsOf(`${folder}/a.txt`, { minChars }), ["Naïve 🐋\r\n"]);
    assert.deepEqual(await textsOf(`${folder}/c.md`, { minChars }), [files["c.md"]]);
    assert.deepEqual(await textsOf(`${folder}/d.txt.gz`, { minChars }), ["Packed 🐋"]);
    const { name, texts, sha256 } = await openDataset({ dataset: `${folder}/b` });
    assert.equal(name, `${folder}/b`);
    assert.equal((await Array.fromAsync(texts)).length, 1);
    // SHA-256 of "abc", as in the standard's example.
    assert.equal(await sha256(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
});

Deno.test("a text file is read only as far as it is asked for", async () => {
  const bytes = new Uint8Array(10 << 20).fill(0x61);
  bytes[9 << 20] = 0xff;
  await withFolder({ "a.txt": bytes }, async (folder) => {
    for await (const text of (await openDataset({ dataset: `${folder}/a.txt` })).texts) {
      const head = await text.head(1000);
      assert(head.text.length >= 1000 && head.text.length < 1 << 18 && !head.complete);
      await assert.rejects(text.head(Infinity), /it is not UTF-8/);
    }
  });
});

Deno.test("what is wrong with a text file is said", async () => {
  const files = {
    "empty.txt": "",
    "blank.txt": "\ufeff \n",
    "latin1.txt": new Uint8Array([0x6e, 0x61, 0xef, 0x76, 0x65]),
    "cut.txt": new TextEncoder().encode("🐋").subarray(0, 3),
    "utf16.txt": new Uint8Array([0xff, 0xfe, 0x61, 0]),
    "binary.txt": new Uint8Array([0x61, 0, 0x62]),
    "no.txt.gz": "not packed",
    "cut.txt.gz": (await gzip("Call me Ishmael. ".repeat(99))).slice(0, 60),
  };
  await withFolder(files, async (folder) => {
    await refuses(`${folder}/empty.txt`, /: it holds no text$/);
    await refuses(`${folder}/blank.txt`, /: it holds no text$/);
    await refuses(`${folder}/latin1.txt`, /: it is not UTF-8; save it as UTF-8$/);
    await refuses(`${folder}/cut.txt`, /: it is not UTF-8; save it as UTF-8$/);
    await refuses(`${folder}/utf16.txt`, /: it is UTF-16; save it as UTF-8$/);
    await refuses(`${folder}/binary.txt`, /: it is binary, not text; give UTF-8 text$/);
    await refuses(`${folder}/no.txt.gz`, /: it is not gzip, or damaged$/);
    await refuses(`${folder}/cut.txt.gz`, /: it is not gzip, or damaged$/);
    await refuses(
      `${folder}/none.txt`,
      /: there is no such file; give one of moby_dick, sotu.*, or - for standard input$/,
    );
    await refuses(`${folder}/empty.txt/none.txt`, /: there is no such file/);
    await refuses("book.csv", /: there is no such file/);
    await withFolder(
      { "a.csv": "a,b" },
      (folder) => refuses(`${folder}/a.csv`, /: \.csv files cannot be read; give a UTF-8/),
    );
  });
});

Deno.test("an unknown name gets a suggestion, and a path wins over a name", async () => {
  await refuses(
    "moby_dik",
    /: there is no such data set or file; did you mean moby_dick\? give one of moby_dick, sotu/,
  );
  await refuses("toString", /: there is no such data set or file; give one of moby_dick/);
  await withFolder({ moby_dick: "A whale of one's own" }, async (folder) => {
    const here = Deno.cwd();
    try {
      Deno.chdir(folder);
      assert.deepEqual(await textsOf("moby_dick"), ["A whale of one's own"]);
    } finally {
      Deno.chdir(here);
    }
  });
});

Deno.test("rows of JSON are texts, by line or in an array", async () => {
  const rows = ["one", { text: 'tw"o, ]}\n' }, null, { text: null, other: 3 }, { other: 1 }, { text: "" }, {
    text: "🐋",
  }];
  const expected = ["one", 'tw"o, ]}\n', "🐋"];
  const lines = rows.map((row) => JSON.stringify(row));
  const files = {
    "a.jsonl": lines.join("\n"),
    "b.ndjson": `\ufeff${lines.join("\r\n\r\n")}\n`,
    "c.json": JSON.stringify(rows),
    "d.json": `\ufeff ${JSON.stringify(rows, null, 2)}\n`,
    "e.json": JSON.stringify({ version: 1, data: rows }),
    "f.json": lines.filter((line) => line !== "null").join("\n"),
    "g.jsonl.gz": await gzip(lines.join("\n")),
    "h.json.gz": await gzip(JSON.stringify(rows)),
  };
  await withFolder(files, async (folder) => {
    for (const name of Object.keys(files)) assert.deepEqual(await textsOf(`${folder}/${name}`), expected, name);
    assert.deepEqual(await textsOf(`${folder}/e.json`, { textColumn: "text", minChars: 2 }), ["one", 'tw"o, ]}\n']);
  });
});

Deno.test("a large array is cut into rows wherever its pieces end", async () => {
  const rows = Array.from({ length: 5000 }, (_, i) => ({ body: `${i} "\\🐋[{,}] `.repeat(i % 40) }));
  const files = { "a.json": JSON.stringify(rows), "b.jsonl": rows.map((row) => JSON.stringify(row)).join("\n") };
  assert(files["a.json"].length > 1 << 20);
  await withFolder(files, async (folder) => {
    const expected = rows.map(({ body }) => body).filter((body) => body !== "");
    assert.deepEqual(await textsOf(`${folder}/a.json`, { textColumn: "body" }), expected);
    assert.deepEqual(await textsOf(`${folder}/b.jsonl`, { textColumn: "body" }), expected);
  });
});

Deno.test("what is wrong with rows of JSON is said, with the line", async () => {
  const files = {
    "bad.jsonl": '{"text": "a"}\n\n{"text": "b"\n',
    "bad.json": '[{"text": "a"},\n\n{"text" "b"}]',
    "comma.json": '["a",\n]',
    "cut.json": '[{"text": "a"},\n{"text": "b',
    "after.json": '["a"] "b"',
    "fields.jsonl": '{"body": "a", "id": 1}',
    "number.jsonl": '{"text": "a"}\n{"text": 3}',
    "list.json": '[["a"]]',
    "latin1.jsonl": new Uint8Array([0x22, 0x61, 0x22, 0x0a, 0x22, 0xef, 0x22]),
    "empty.jsonl": "\n\n",
    "empty.json": " [ ] ",
    "nulls.jsonl": "null\nnull",
    "short.jsonl": '{"text": "ab"}\n{"text": "🐋🐋🐋"}',
    "one.json": '["abc"]',
    "object.json": '{"version": 1}',
  };
  await withFolder(files, async (folder) => {
    await refuses(
      `${folder}/bad.jsonl`,
      /: line 3 is not JSON: Expected ',' or '}' after property value in JSON at position 12/,
    );
    await refuses(`${folder}/bad.json`, /: line 3 is not JSON: Expected ':' after property name in JSON at position 8/);
    await refuses(`${folder}/comma.json`, /: line 2 is not JSON: /);
    await refuses(`${folder}/cut.json`, /: it is not JSON: it ends before its array does; is it whole\?$/);
    await refuses(`${folder}/after.json`, /: line 1 is not JSON: something follows the array$/);
    await refuses(
      `${folder}/fields.jsonl`,
      /: line 1: there is no field "text", its fields are "body", "id"; give one of them/,
    );
    await refuses(
      `${folder}/number.jsonl`,
      /: line 2: its field "text" holds a number, not text; give another --text_column$/,
    );
    await refuses(`${folder}/list.json`, /: line 1: found a list, give strings, or objects with a field "text"$/);
    await refuses(`${folder}/latin1.jsonl`, /: line 2 is not UTF-8; save it as UTF-8$/);
    await refuses(`${folder}/empty.jsonl`, /: it holds no text$/);
    await refuses(`${folder}/empty.json`, /: it holds no text$/);
    await refuses(`${folder}/nulls.jsonl`, /: its 2 rows hold no text$/);
    const minChars = 4;
    await refuses(
      `${folder}/short.jsonl`,
      /: the longest of its 2 texts has 3 characters, --min_chars asks for 4; give a smaller --min_chars$/,
      { minChars },
    );
    await refuses(`${folder}/one.json`, /: its only text has 3 characters, --min_chars asks for 4/, { minChars });
    await refuses(`${folder}/object.json`, /: line 1: there is no field "text", its fields are "version"/);
  });
});

Deno.test("a folder's files are texts, in order of their paths, of one kind and one split", async () => {
  const files = {
    "README.md": "a card",
    "b.txt": "b",
    "a.txt": "a",
    "data/test.txt": "c",
    "data/train-00000.txt": "d",
    ".hidden.txt": "e",
  };
  await withFolder(files, async (folder) => {
    assert.deepEqual(await textsOf(folder), ["a", "b", "c", "d"]);
    assert.deepEqual(await textsOf(folder, { split: "train" }), ["d"]);
    await refuses(folder, /: no file in this folder is of --split valid; there are a\.txt, b\.txt, data\/test\.txt/, {
      split: "valid",
    });
    const dataset = await openDataset({ dataset: folder, minChars: 1 });
    await Array.fromAsync(dataset.texts);
    const hashes = await Promise.all(
      ["a.txt", "b.txt", "data/test.txt", "data/train-00000.txt"].map((name) => sha256OfFile(`${folder}/${name}`)),
    );
    assert.equal(await dataset.sha256(), createHash("sha256").update(hashes.join("\n")).digest("hex"));
  });
  await withFolder({ "a.jsonl": '"a"', "info.json": "{}", "b.txt": "b" }, async (folder) => {
    assert.deepEqual(await textsOf(folder), ["a"]);
  });
  await withFolder({ "a.jsonl": '"a"', "b.jsonl": "{" }, (folder) => refuses(folder, /b\.jsonl: line 1 is not JSON: /));
  await withFolder(
    { "README.md": "a card" },
    (folder) => refuses(folder, /: there is no \.txt, \.jsonl, \.json or \.parquet file in/),
  );
});

Deno.test("a flag says that it has no effect where it has none", async () => {
  const notesOf = async (dataset: string) => {
    const notes: string[] = [];
    const options = { split: "train", textColumn: "body", minChars: 2, onNote: (note: string) => notes.push(note) };
    const { terms } = await openDataset({ ...options, dataset });
    return [terms, ...notes];
  };
  assert.deepEqual(await notesOf("moby_dick"), [
    {},
    "--split train has no effect: moby_dick has no splits",
    "--min_chars 2 has no effect: moby_dick is one text",
    "--text_column body has no effect: moby_dick is not a table",
  ]);
  await withFolder({ "b/a.jsonl": '"a"' }, async (folder) => {
    assert.deepEqual(await notesOf(`${folder}/b/a.jsonl`), [
      { text_column: "body", min_chars: 2 },
      `--split train has no effect: ${folder}/b/a.jsonl has no splits`,
    ]);
  });
});

Deno.test("reading ends when it is told to", async () => {
  const ending = new AbortController();
  const { texts } = await openDataset({ dataset: "sotu", signal: ending.signal });
  await assert.rejects(async () => {
    for await (const _ of texts) ending.abort(new Error("enough"));
  }, { message: "enough" });
});

Deno.test("what was passed over is counted", async () => {
  await withFolder({ "a.jsonl": 'null\n"a"\n"bc"\n"d"\nnull' }, async (folder) => {
    const { texts, passedOver } = await openDataset({ dataset: `${folder}/a.jsonl`, minChars: 2 });
    assert.equal(passedOver(), undefined);
    await Array.fromAsync(texts);
    assert.equal(passedOver(), "passed over: 2 texts shorter than --min_chars 2, 2 rows without text");
  });
});
