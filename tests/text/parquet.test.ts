/** Parquet files written by pyarrow 26; rows.json holds the same texts. */
import assert from "node:assert/strict";
import { InputError } from "../../lib/util/errors.ts";
import { parquetTexts } from "../../lib/text/parquet.ts";
import rows from "../fixtures/parquet/rows.json" with { type: "json" };
import { refuses, textsOf } from "./_dataset.ts";
import { withFolder } from "./_tokenizers.ts";

const folder = "tests/fixtures/parquet";
const fault = (why: string) => new InputError(why);
const read = (name: string, column = "text") =>
  Array.fromAsync(
    parquetTexts(`${folder}/${name}.parquet`, column, fault),
    async (text) => text === undefined ? null : (await text.head(Infinity)).text,
  );

const codecs = ["none", "snappy", "gzip", "zstd", "brotli", "lz4"];
const names = codecs.flatMap((codec) => [`${codec}-dictionary`, `${codec}-plain`]);
for (const name of [...names, "v2-delta", "page-index", "large-string"]) {
  Deno.test(`parquetTexts() reads ${name}`, async () => {
    assert.deepEqual(await read(name), rows);
    assert.deepEqual(await read(name, "title"), rows.map((_, i) => `t${i}`));
  });
}

Deno.test("parquetTexts() reads a column without nulls, and one of bytes", async () => {
  assert.deepEqual(await read("required"), rows.map((row) => row || "none"));
  assert.deepEqual(await read("empty"), []);
  await assert.rejects(read("other-types", "bytes"), { message: "row 2: it is not UTF-8; save it as UTF-8" });
});

Deno.test("a Parquet data set passes over nulls and empty texts", async () => {
  assert.deepEqual(await textsOf(`${folder}/snappy-plain.parquet`), rows.filter((row) => row));
  assert.deepEqual(
    await textsOf(`${folder}/zstd-dictionary.parquet`, { minChars: 200 }),
    rows.filter((row) => row && [...row].length >= 200),
  );
});

Deno.test("a Parquet data set without the column says which there are", async () => {
  const path = `${folder}/snappy-plain.parquet`;
  await refuses(
    path,
    /: there is no column "txt", its columns are "id", "title", "text"; give one of them as --text_column$/,
    {
      textColumn: "txt",
    },
  );
  await refuses(path, /: its column "id" holds INT64, not text; give another --text_column$/, { textColumn: "id" });
  const other = `${folder}/other-types.parquet`;
  await refuses(other, /its column "text" holds INT32, not text/);
  await refuses(other, /its column "tags" holds LIST, not text/, { textColumn: "tags" });
  await refuses(other, /its column "meta" holds a group, not text/, { textColumn: "meta" });
  await refuses(`${folder}/empty.parquet`, /: it holds no text$/);
});

Deno.test("what is no Parquet file is an error that says so", async () => {
  const bytes = await Deno.readFile(`${folder}/zstd-plain.parquet`);
  const files = {
    "empty.parquet": new Uint8Array(),
    "cut.parquet": bytes.subarray(0, 2000),
    "text.parquet": "PAR1, or so it says, but it is text",
    "length.parquet": bytes.with(bytes.length - 6, 0xff),
  };
  await withFolder(files, async (folder) => {
    await refuses(`${folder}/empty.parquet`, /: it is empty$/);
    await refuses(`${folder}/cut.parquet`, /: it is not a whole Parquet file: those begin and end with PAR1$/);
    await refuses(`${folder}/text.parquet`, /: it is not a whole Parquet file/);
    await refuses(`${folder}/length.parquet`, /: it is damaged, or not Parquet that is supported: /);
  });
});

Deno.test("a damaged Parquet file is an error that names it, or other text, and nothing else", async () => {
  const bytes = await Deno.readFile(`${folder}/snappy-dictionary.parquet`);
  let errors = 0;
  await withFolder({}, async (folder) => {
    for (let at = 4; at < bytes.length - 4; at += 61) {
      const path = `${folder}/${at}.parquet`;
      const damaged = bytes.slice();
      damaged.fill(0xa5, at, Math.min(at + 8, bytes.length - 4));
      await Deno.writeFile(path, damaged);
      await textsOf(path).catch((error) => {
        errors++;
        assert(error instanceof InputError, `damage at ${at}: ${error.stack}`);
      });
    }
  });
  assert(errors > 40, `${errors}`);
});
