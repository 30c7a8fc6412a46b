/** Answers of hostile hubs and harmful proxies. Each is made from a seed. */
import { gitHash } from "../hub/_hub_server.ts";
import type { Chance } from "./chance.ts";
import { answerWith, bytesFrom, COMMIT, type Files, headersOf, nameIn, type Place, siblingsOf } from "./hub_good.ts";
import { type Answer, head, latin1, type RawRequest, type Write } from "./hub_server.ts";

/** Input of a case. */
export interface World {
  readonly chance: Chance;
  readonly files: Files;
  /** A folder outside of the cache, where nothing may appear. */
  readonly outside: string;
  /** Address of the server of large files: another origin. */
  readonly cdn: () => string;
}

/** Answers in place of the hub; undefined leaves the correct answer. */
export interface Damage {
  readonly what: string;
  readonly answer: (place: Place, request: RawRequest) => Answer | undefined;
  /** The repository's files, if they are others. */
  readonly files?: Files;
}

type Maker = (world: World) => Damage;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** Longer than any client here waits, but not for ever. */
const LONG = 20_000;
/** Sends nothing until the client is gone. */
const silence = (write: Write) => endlessly(write, "", 20);
const ESCAPES = ["\x1b[2J\x1b[31m", "\x9b2J", "\x85", "\x07\x08", "\x7f", "\r", "\x9d0;title\x9c"];
const PLACES: readonly Place[] = ["list", "head", "get", "cdn"];

/** Gives the same answer at one place, drawn from the given ones. */
const at = (what: string, answer: Answer, places: readonly Place[] = PLACES): Maker => ({ chance }) => {
  const place = chance.pick(places);
  return { what: `${what} (${place})`, answer: (here) => here === place ? answer : undefined };
};

/** Draws one answer of several. */
const oneOf =
  (what: string, choices: readonly string[], answer: (choice: string) => Answer, places?: readonly Place[]) =>
  (world: World): Damage => {
    const choice = world.chance.pick(choices);
    return at(`${what} ${JSON.stringify(choice.slice(0, 60))}`, answer(choice), places)(world);
  };

const redirectTo = (location: string, status = 302): Answer => answerWith(status, [["location", location]]);

/** Writes until the client is gone, or for long enough. */
async function endlessly(write: Write, bytes: Uint8Array | string, ms = 0): Promise<void> {
  const piece = typeof bytes === "string" ? latin1(bytes) : bytes;
  for (const until = performance.now() + LONG; performance.now() < until;) {
    await write(piece);
    if (ms > 0) await pause(ms);
  }
}

const text = (value: unknown, sha: unknown = COMMIT) => JSON.stringify({ id: "org/name", sha, siblings: value });
const list = (what: string, body: (world: World) => string | Uint8Array): Maker => (world) => {
  const answer = answerWith(200, [["content-type", "application/json"]], body(world));
  return { what: `a list ${what}`, answer: (place) => place === "list" ? answer : undefined };
};
/** Makes a list with further names. */
const names = (what: string, more: (world: World) => readonly string[]): Maker => {
  const sibling = (rfilename: string) => ({ rfilename, size: 3, blobId: gitHash(new Uint8Array(3)) });
  return list(`that names ${what}`, (world) => text([...siblingsOf(world.files), ...more(world).map(sibling)]));
};
/** Makes hostile files whose list, hashes and bytes agree. */
const repository = (what: string, files: (world: World) => Record<string, string>): Maker => (world) => ({
  what: `a repository ${what}`,
  answer: () => undefined,
  files: Object.fromEntries(Object.entries(files(world)).map(([name, body]) => [name, new TextEncoder().encode(body)])),
});
const index = (map: unknown) => ({
  "config.json": "{}",
  "tokenizer.json": "{}",
  "model.safetensors.index.json": JSON.stringify({ weight_map: map }),
});
/** Replaces headers of a file's HEAD. */
const headers =
  (what: string, change: (world: World, name: string) => readonly (readonly [string, string])[]): Maker => (world) => ({
    what: `HEAD with ${what}`,
    answer: (place, request) => {
      if (place !== "head") return undefined;
      const name = nameIn(request);
      const changes = change(world, name);
      const own = headersOf(name, world.files[name]!).filter(([key]) => !changes.some(([other]) => other === key));
      const isAway = own.some(([key]) => key === "location");
      const length = ["content-length", isAway ? "0" : `${world.files[name]!.length}`] as const;
      const all = [...own, ...changes, length].filter(([, value]) => value !== "");
      return async (_, write) => await write(head(isAway ? 302 : 200, all));
    },
  });
/** Replaces the transfer of the weights, from the server of large files. */
const transfer = (
  what: string,
  answer: (bytes: Uint8Array<ArrayBuffer>, request: RawRequest, write: Write, world: World) => Promise<unknown>,
): Maker =>
(world) => ({
  what: `a transfer ${what}`,
  answer: (place, request) =>
    place === "cdn" ? (_, write) => answer(world.files[nameIn(request)]!, request, write, world) : undefined,
});
const partHead = (start: number, all: number, length = all - start): string =>
  head(start > 0 ? 206 : 200, [
    ...(start > 0 ? [["content-range", `bytes ${start}-${all - 1}/${all}`] as const] : []),
    ["content-length", `${length}`],
  ]);

/** All damages. A seed takes one, and also decides everything that is drawn. */
export const DAMAGES: readonly Maker[] = [
  oneOf(
    "a redirect to",
    [
      "file:///dev/zero",
      "file:///etc/passwd",
      "FILE:/dev/zero",
      "data:application/json,{}",
      "blob:null/1",
      "ftp://127.0.0.1/x",
    ],
    redirectTo,
  ),
  oneOf(
    "a redirect to",
    ["javascript:1", "about:blank", "ws://127.0.0.1:1/", "npm:x", "node:fs", "\x9b2J:x"],
    redirectTo,
  ),
  oneOf("a redirect to what is no address,", [
    "http://[",
    "http://a:99999999/",
    "//",
    "http://",
    "\x85\x9b",
    "http://%00/",
  ], redirectTo),
  at("a redirect to itself", async (request, write) => await redirectTo(request.path)(request, write)),
  at(
    "redirects that go on for ever",
    async (request, write) => await redirectTo(`${request.path}?n=${request.before}`, 307)(request, write),
  ),
  at("a redirect without an address", answerWith(302, [])),
  at("a redirect by 50,000 characters", redirectTo(`/${"y".repeat(50_000)}`)),
  at("a redirect to a port where nobody is", redirectTo("http://127.0.0.1:47/x")),
  ({ chance, cdn }) => {
    const place = chance.pick(["list", "head", "get"] as const);
    return {
      what: `a redirect to another origin, with a user in it (${place})`,
      answer: (here, request) =>
        here === place ? redirectTo(`${cdn().replace("//", "//eve:pw@")}${request.path}`) : undefined,
    };
  },
  at(
    "a relative redirect and back",
    async (request, write) =>
      await (request.before % 2 === 0 ? redirectTo(request.path, 303) : answerWith(404, []))(request, write),
  ),
  at("nothing", async (_, write) => await silence(write)),
  at("a hang-up", async () => {}),
  at("nothing after its headers", async (_, write) => {
    await write(head(200, [["content-length", "1000000"]]));
    await silence(write);
  }),
  at("headers, a byte at a time", async (_, write) => {
    for (const letter of `HTTP/1.1 200 OK\r\n${"x-a: b\r\n".repeat(1000)}`) {
      await write(letter);
      await pause(50);
    }
  }),
  at("a body, a byte at a time", async (_, write) => {
    await write(head(200, [["content-length", "1000000"]]));
    await endlessly(write, "{", 50);
  }, ["list", "get", "cdn"]),
  at("headers without end", async (_, write) => {
    await write("HTTP/1.1 200 OK\r\n");
    await endlessly(write, `x-a: ${"b".repeat(1000)}\r\n`.repeat(32));
  }),
  at("one header without end", async (_, write) => {
    await write("HTTP/1.1 200 OK\r\nx-a: ");
    await endlessly(write, "b".repeat(65_536));
  }),
  at("300 headers", answerWith(200, Array.from({ length: 300 }, (_, i) => [`x-${i}`, "y"] as const))),
  at("103 without end", async (_, write) => await endlessly(write, "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100))),
  at("chunks without end", async (_, write) => {
    await write(head(200, [["transfer-encoding", "chunked"]]));
    await endlessly(write, `10000\r\n${"x".repeat(65_536)}\r\n`);
  }, ["list", "get", "cdn"]),
  at("a chunk's extension without end", async (_, write) => {
    await write(`${head(200, [["transfer-encoding", "chunked"]])}1;`);
    await endlessly(write, "a".repeat(65_536));
  }, ["list", "get", "cdn"]),
  at("trailers without end", async (_, write) => {
    await write(`${head(200, [["transfer-encoding", "chunked"]])}1\r\n1\r\n0\r\n`);
    await endlessly(write, `x-a: ${"a".repeat(60_000)}\r\n`);
  }, ["list", "get", "cdn"]),
  at(
    "chunks that are none",
    async (_, write) => await write(`${head(200, [["transfer-encoding", "chunked"]])}ZZ\r\nxx\r\n`),
    ["list", "get", "cdn"],
  ),
  at("a body without end and without a length", async (_, write) => {
    await write("HTTP/1.1 200 OK\r\n\r\n");
    await endlessly(write, new Uint8Array(65_536).fill(32));
  }, ["list", "get", "cdn"]),
  oneOf(
    "Content-Length",
    ["-1", "1.5", "abc", "18446744073709551616", "0x10", "1, 2"],
    (length) => async (_, write) => await write(`${head(200, [["content-length", length]])}{}`),
  ),
  oneOf(
    "Content-Length",
    ["9007199254740993", "1000000000000000"],
    (length) => async (_, write) => await write(`${head(200, [["content-length", length]])}{}`),
    ["list", "get", "cdn"],
  ),
  at(
    "two lengths",
    async (_, write) => await write(`${head(200, [["content-length", "1"], ["content-length", "2"]])}{}`),
  ),
  at("no HTTP", async (_, write) => await write(`\x16\x03\x01\0\xa5\x01\0\0${"\0".repeat(200)}`)),
  at("HTTP/0.9", async (_, write) => await write('{"sha": 1}\n')),
  at(
    "two answers at once",
    async (_, write) => await write(`${head(404, [["content-length", "0"]])}${head(200, [["content-length", "2"]])}{}`),
  ),
  at(
    "101 Switching Protocols",
    async (_, write) => await write("HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
  ),
  ({ chance }) => {
    const status = chance.pick([400, 401, 403, 404, 408, 410, 418, 429, 451, 500, 502, 503, 504, 599, 999]);
    const after = chance.pick(["", "0", "-5", "soon", "9".repeat(300), "1e9", "Thu, 01 Jan 9999 00:00:00 GMT", "\x85"]);
    const code = chance.pick(["", "GatedRepo", "RevisionNotFound", "EntryNotFound", "RepoNotFound", "\x9b2J"]);
    const message = `${chance.pick(ESCAPES.filter((each) => each.charCodeAt(0) > 127))}said ${
      "m".repeat(chance.below(9000))
    }`;
    return at(
      `${status}, Retry-After ${JSON.stringify(after.slice(0, 20))}, ${JSON.stringify(code)}`,
      async (_, write) =>
        await write(head(status, [
          ["retry-after", after],
          ...(code === "" ? [] : [["x-error-code", code] as const]),
          ["x-error-message", message],
          ["content-length", "0"],
        ])),
    )({ chance } as World);
  },
  ({ chance }) => {
    const status = chance.pick([401, 403, 404, 429, 500, 503]);
    return at(`${status} with a body without end`, async (_, write) => {
      await write(`HTTP/1.1 ${status} X\r\n\r\n`);
      await endlessly(write, `${chance.pick(ESCAPES)}error `.repeat(5000));
    })({ chance } as World);
  },
  oneOf(
    "an error message with",
    ESCAPES,
    (escape) => async (_, write) =>
      await write(head(403, [["x-error-message", `${escape}x`], ["content-length", "0"]])),
  ),
  oneOf(
    "compressed,",
    ["gzip", "br", "zstd", "deflate, gzip", "\x9b"],
    (encoding) => answerWith(200, [["content-encoding", encoding]], new Uint8Array(1000)),
    ["list", "get", "cdn"],
  ),
  transfer("of a gzip bomb", async (_, __, write) => {
    const zeros = new Blob([new Uint8Array(50_000_000)]).stream().pipeThrough(new CompressionStream("gzip"));
    const bomb = new Uint8Array(await new Response(zeros).arrayBuffer());
    await write(head(200, [["content-encoding", "gzip"], ["content-length", `${bomb.length}`]]));
    await write(bomb);
  }),
  headers("an ETag that is junk", ({ chance, outside }) => {
    const etag = chance.pick([
      "../../evil",
      outside,
      "abc",
      "A".repeat(40),
      "x".repeat(9000),
      "\x9b2J",
      "..",
      "a".repeat(39),
    ]);
    return [["etag", etag], ["x-linked-etag", etag]];
  }),
  headers("no ETag", () => [["etag", ""], ["x-linked-etag", ""]]),
  headers("the ETag of another file", ({ files }) => {
    const etag = gitHash(files["config.json"]!);
    return [["etag", etag], ["x-linked-etag", etag]];
  }),
  headers("a commit that is junk", ({ chance, outside }) => [[
    "x-repo-commit",
    chance.pick(["../../evil", outside, "main", "A".repeat(40), "a".repeat(41), "\x9b2J", "x".repeat(9000)]),
  ]]),
  headers("another commit than the list's", ({ chance }) => [["x-repo-commit", chance.pick(["b", "0"]).repeat(40)]]),
  headers("no commit", () => [["x-repo-commit", ""]]),
  headers("a size that is junk", ({ chance }) => [[
    "x-linked-size",
    chance.pick(["-1", "1.5", "NaN", "1e99", "9".repeat(400), "\x9b", "0x10", "12, 13"]),
  ]]),
  headers("a size of petabytes", () => [["x-linked-size", "5000000000000000"]]),
  headers("a size that is too small", ({ chance }) => [["x-linked-size", `${chance.below(1000)}`]]),
  headers("a size that is too large", ({ chance, files }, name) => [
    ["x-linked-size", `${files[name]!.length + 1 + chance.below(1000)}`],
  ]),
  list("that is HTML", () => `<html>${"\x1b[2J"}Log in${" ".repeat(10_000)}</html>`),
  list("that is empty", () => ""),
  list(
    "that is no object",
    ({ chance }) => chance.pick(["null", "7", '"x"', "[]", "[[]]", "true", "\0", "{}", "\ufeff{}"]),
  ),
  list("that is deep", ({ chance }) => chance.pick(["[", '{"a":', '{"sha":[']).repeat(1_000_000)),
  list("that is wide", ({ chance }) => `[${chance.pick(["[],", "{},", "0,", '"",']).repeat(6_000_000)}0]`),
  list("that is too large", () => text([], "a".repeat(70 * 2 ** 20))),
  list("that ends in the middle", ({ files, chance }) => text(siblingsOf(files)).slice(0, 10 + chance.below(300))),
  list("that is no UTF-8", ({ files }) => {
    const bytes = new TextEncoder().encode(text([...siblingsOf(files), { rfilename: "ABCD", size: 1 }]));
    return bytes.map((byte) => byte === 0x41 ? 0xff : byte);
  }),
  list(
    "of what are no files",
    ({ chance }) =>
      text(
        chance.pick<unknown>([null, "x", [null], [[]], [{}], [{ rfilename: 7 }], { length: 1 }, [{ rfilename: {} }]]),
      ),
  ),
  list(
    "whose commit is junk",
    ({ files, chance, outside }) =>
      text(
        siblingsOf(files),
        chance.pick([null, 7, "main", "../../evil", outside, `${"a".repeat(39)}\n`, "\x1b[2J", []]),
      ),
  ),
  list("with sizes that are junk", ({ files, chance }) => {
    const size = chance.pick<unknown>([-1, 1.5, "9", null, {}, [], true, 1e300, 2 ** 53, Array(2000).fill("x")]);
    return text(
      siblingsOf(files).map((file) => ({ ...file, size, lfs: chance.pick<unknown>([{ size }, null, 7, "x", []]) })),
    );
  }),
  list("with hashes that are junk", ({ files, chance, outside }) =>
    text(
      siblingsOf(files).map((file) => ({
        ...file,
        blobId: chance.pick<unknown>(["../../evil", outside, 7, null, "\x1b[2J"]),
        lfs: { sha256: chance.pick<unknown>(["../../../evil", [], {}]), size: 3 },
      })),
    )),
  list(
    "with each file twice, of other sizes",
    ({ files }) =>
      text([...siblingsOf(files), ...siblingsOf(files).map((file) => ({ ...file, size: 1, lfs: undefined }))]),
  ),
  names("what leads out", ({ chance, outside }) => [
    chance.pick(["../x", "../../../x", `${outside}/x`, "a/../../x", "a//b", "./x", "", "/", "C:\\x", "..\\x", "a/.."]),
  ]),
  names("what a terminal obeys", ({ chance }) => [`a${chance.pick([...ESCAPES, "\0", "\u202e", "\u2028"])}.json`]),
  names("__proto__ and its like", () => ["__proto__", "constructor", "toString", "hasOwnProperty"]),
  names("a file as a folder too", () => ["config.json/x", "tokenizer.json/config.json"]),
  names("50,000 files", () => Array.from({ length: 50_000 }, (_, i) => `data/${i}.txt`)),
  names(
    "what is very long",
    ({ chance }) => [`${"n".repeat(300 + chance.below(100_000))}.json`, "x/".repeat(3000) + "y"],
  ),
  names("half a character", () => ["\ud800.json", "\udfff"]),
  repository("without weights and with long names", () => ({
    "config.json": "{}",
    "tokenizer.json": "{}",
    [`${"n".repeat(20_000)}.bin`]: "x",
  })),
  repository(
    "whose index names what leads out",
    ({ chance, outside }) =>
      index({ a: chance.pick(["..", ".", "../x", `${outside}/x`, "a\0b", "\x1b[2J", "", "x".repeat(5000), "C:x"]) }),
  ),
  repository("whose index is none", ({ chance }) => ({
    ...index({}),
    "model.safetensors.index.json": chance.pick([
      "",
      "null",
      "[]",
      "{",
      '{"weight_map": 7}',
      '{"weight_map": {"a": {}}}',
      "\x1b[2J",
    ]),
  })),
  repository(
    "whose index names thousands of files",
    () => index(Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`t${i}`, `shard-${i}`]))),
  ),
  transfer("that answers 416 always", async (_, __, write) => await write(head(416, [["content-length", "0"]]))),
  transfer("that begins again each time", async (bytes, _, write, { chance }) => {
    await write(partHead(0, bytes.length));
    await write(bytes.subarray(0, chance.below(bytes.length)));
  }),
  transfer("that breaks off at random, and goes on", async (bytes, { start = 0 }, write, { chance }) => {
    await write(partHead(start, bytes.length));
    await write(bytes.subarray(start, start + 30_000 + chance.below(bytes.length)));
  }),
  transfer("with another range than asked for", async (bytes, { start = 0 }, write) => {
    if (start === 0) {
      await write(partHead(0, bytes.length));
      return await write(bytes.subarray(0, 50_000));
    }
    await write(partHead(start - 7, bytes.length));
    await write(bytes.subarray(start - 7));
  }),
  transfer("as a part that nobody asked for", async (bytes, _, write, { chance }) => {
    const from = 1 + chance.below(1000);
    await write(partHead(from, bytes.length));
    await write(bytes.subarray(from));
  }),
  transfer("in several parts", async (bytes, _, write) => {
    await write(
      head(206, [["content-type", "multipart/byteranges; boundary=x"], ["content-length", `${bytes.length}`]]),
    );
    await write(bytes);
  }),
  transfer("of content that changes in between", async (bytes, { start = 0, before }, write) => {
    const other = bytes.map((byte) => byte ^ (1 + before));
    await write(partHead(start, bytes.length));
    await write(other.subarray(start, start === 0 ? 40_000 : undefined));
  }),
  transfer("of other bytes", async (bytes, _, write, { chance }) => {
    const wrong = Uint8Array.from(bytes);
    wrong[chance.below(bytes.length)]! ^= 1 << chance.below(8);
    await write(partHead(0, bytes.length));
    await write(wrong);
  }),
  transfer("of more than the hub states", async (bytes, { start = 0 }, write, { chance }) => {
    await write(partHead(start, bytes.length + 1 + chance.below(100_000)));
    await write(bytes.subarray(start));
    await endlessly(write, new Uint8Array(65_536));
  }),
  transfer("of less than the hub states", async (bytes, _, write, { chance }) => {
    const less = bytes.subarray(0, chance.below(bytes.length));
    await write(partHead(0, less.length));
    await write(less);
  }),
  transfer("by 204 and 203", async (bytes, { before }, write) => {
    await write(head(before % 2 === 0 ? 204 : 203, before % 2 === 0 ? [] : [["content-length", `${bytes.length}`]]));
    if (before % 2 === 1) await write(bytes);
  }),
  (world) => ({
    what: "no size anywhere, and bytes without end",
    answer: (place, request) => {
      const name = nameIn(request);
      if (place === "list") {
        return answerWith(200, [], text(siblingsOf(world.files).map(({ rfilename }) => ({ rfilename }))));
      }
      if (name !== "config.json") return undefined;
      if (place === "head") return async (_, write) => await write(head(200, headersOf(name, world.files[name]!)));
      return async (_, write) => {
        await write("HTTP/1.1 200 OK\r\n\r\n");
        await endlessly(write, new Uint8Array(65_536));
      };
    },
  }),
  () => ({
    what: "an empty file for every file",
    answer: (place, { path }) =>
      place === "list"
        ? undefined
        : bytesFrom(new Uint8Array(0), headersOf(path.includes("tokenizer") ? "a" : "b", new Uint8Array(0))),
  }),
];
