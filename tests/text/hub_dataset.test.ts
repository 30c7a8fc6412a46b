/** Data sets on the hub, from a server on loopback that answers like the hub, with files written by pyarrow. */
import assert from "node:assert/strict";
import { InputError } from "../../lib/util/errors.ts";
import { openDataset } from "../../lib/text/dataset.ts";
import rows from "../fixtures/parquet/rows.json" with { type: "json" };
import { Environment, hubEnvironment } from "../hub/_environment.ts";
import { commitOf, HubServer, sha256 } from "../hub/_hub_server.ts";
import { textsOf } from "./_dataset.ts";

const fixture = (name: string) => Deno.readFile(`tests/fixtures/parquet/${name}.parquet`);
const [snappy, zstd, required] = await Promise.all(["snappy-plain", "zstd-dictionary", "required"].map(fixture));
const commit = commitOf("c");
const repo = (files: Record<string, Uint8Array<ArrayBuffer>>) => ({
  refs: { main: commit },
  commits: { [commit]: files },
});
const repos = {
  "datasets/emozilla/pg19": repo({
    "README.md": new TextEncoder().encode("PG-19"),
    "data/test-00001-of-00002-b.parquet": zstd!,
    "data/test-00000-of-00002-a.parquet": snappy!,
    "data/validation-00000-of-00001-c.parquet": required!,
  }),
  "datasets/Salesforce/wikitext": repo({
    "wikitext-103-raw-v1/test-00000-of-00001.parquet": required!,
    "wikitext-2-raw-v1/test-00000-of-00001.parquet": snappy!,
  }),
};

/** Runs `use` with a hub and an empty cache. */
async function withHub(use: (server: HubServer) => Promise<void>): Promise<void> {
  const cache = await Deno.makeTempDir();
  await using server = new HubServer(repos);
  try {
    using _ = new Environment(hubEnvironment(cache, server.endpoint));
    await use(server);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

/** Returns the downloaded files. */
const downloads = ({ log }: HubServer) =>
  log.filter((line) => line.startsWith("cdn GET")).map((line) => line.replace(/.*\//, ""));
const texts = rows.filter((row): row is string => !!row);

const rejects = (dataset: string, message: RegExp, options = {}) =>
  assert.rejects(textsOf(dataset, options), (error: Error) => {
    assert(error instanceof InputError, error.stack);
    assert.match(error.message, message);
    return true;
  });

Deno.test("pg19 is the hub's test split, row by row; a file is downloaded when it is reached, and once", () =>
  withHub(async (server) => {
    const { texts: some, terms, commit: found, sha256: hash } = await openDataset({ dataset: "pg19", minChars: 1 });
    for await (const text of some) {
      assert.equal((await text.head(Infinity)).text, texts[0]);
      break;
    }
    assert.equal(found, commit);
    assert.deepEqual(terms, { split: "test", text_column: "text", min_chars: 1 });
    assert.equal(await hash(), sha256(snappy!));
    assert.deepEqual(downloads(server), ["test-00000-of-00002-a.parquet"]);
    assert.deepEqual(await textsOf("pg19"), [...texts, ...texts]);
    assert.deepEqual(downloads(server), ["test-00000-of-00002-a.parquet", "test-00001-of-00002-b.parquet"]);
    const requests = server.log.length;
    assert.deepEqual(await textsOf("pg19", { hub: { offline: true } }), [...texts, ...texts]);
    assert.equal(server.log.length, requests);
    assert.equal((await textsOf("pg19", { split: "validation" })).length, rows.length);
    await rejects(
      "pg19",
      /^Cannot read --dataset pg19: no file in emozilla\/pg19\/data on the hub is of --split valid; there are data\/test-00000/,
      {
        split: "valid",
      },
    );
    await rejects(
      "pg19",
      /^Cannot read --dataset pg19: emozilla\/pg19\/data\/test-00000-of-00002-a\.parquet: there is no column "body"/,
      {
        textColumn: "body",
      },
    );
  }));

Deno.test("wikitext is one text, its rows joined by empty lines", () =>
  withHub(async () => {
    assert.deepEqual(await textsOf("wikitext", { minChars: 1e9 }), [rows.filter((row) => row !== null).join("\n\n")]);
    const { texts } = await openDataset({ dataset: "wikitext" });
    for await (const text of texts) {
      const { text: head, complete } = await text.head(100);
      assert(!complete && head.length >= 100 && head.length < 2000);
    }
  }));

Deno.test("org/name is a data set of the hub, or a folder of one", () =>
  withHub(async () => {
    assert.deepEqual(await textsOf("Salesforce/wikitext/wikitext-2-raw-v1"), texts);
    assert.equal((await textsOf("Salesforce/wikitext")).length, rows.length + texts.length);
    await rejects(
      "Salesforce/wikitxt",
      /^Cannot read --dataset Salesforce\/wikitxt: there is no such file or folder, and on the hub: Cannot .*wikitxt/,
    );
    await rejects(
      "Salesforce/wikitext/no",
      /there is no \.txt, \.jsonl, \.json or \.parquet file in Salesforce\/wikitext\/no on the hub$/,
    );
  }));

Deno.test("a data set that is not in the cache is an error without the net", () =>
  withHub(async (server) => {
    await rejects("pg19", /^Cannot find files of dataset emozilla\/pg19 at main in the cache /, {
      hub: { offline: true },
    });
    assert.deepEqual(server.log, []);
  }));
