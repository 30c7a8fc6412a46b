/** Damaged texts, tables and archives, one for each seed. */
import { fromFileUrl, join } from "@std/path";
import { gzipSync } from "node:zlib";
import { CONTROLS, damageBytes, joined, mkfifo, nonsense, oddBytes, replaceFile } from "./damage.ts";
import { CaseFolder, inPairs, judgeCase, type Opener } from "./judge.ts";
import { Chance } from "./chance.ts";
import type { TortureOptions, Verdict } from "./verdict.ts";

const parquet = fromFileUrl(new URL("../fixtures/parquet", import.meta.url));
const TABLES = [...Deno.readDirSync(parquet)].map(({ name }) => name).filter((name) => name.endsWith(".parquet"))
  .sort();
const BOOK = "Call me Ishmael. Some years ago, never mind how long precisely, having little or no money in my purse, "
  .repeat(30);

const bytesOf = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
const zip = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes));

/** Packs a piece `times` times, each as a member of the archive. */
const members = (piece: Uint8Array, times: number) => joined(...Array<Uint8Array>(times).fill(zip(piece)));
const filled = (text: string, bytes: number) => bytesOf(text.repeat(Math.ceil(bytes / text.length)));

/** Archives that are large when unpacked. They are made lazily, because each takes a second. */
const BOMBS: Readonly<Record<string, () => Uint8Array>> = {
  "endless: zeros.txt.gz": () => members(new Uint8Array(1e8), 100),
  "endless: spaces.txt.gz": () => members(filled(" ", 1e8), 100),
  "endless: letters.txt.gz": () => members(filled("a", 1e8), 100),
  "endless: brackets.json.gz": () => members(filled("[", 1e8), 100),
  "endless: row.jsonl.gz": () => joined(zip(bytesOf('{"text": "')), members(filled("a", 1e8), 100)),
  "endless: array.json.gz": () => joined(zip(bytesOf('[{"text": "')), members(filled("a", 1e8), 100)),
  "endless: rows.jsonl.gz": () => members(filled('{"text": "short"}\n', 1e8), 100),
  "endless: newlines.jsonl.gz": () => members(filled("\n", 1e8), 100),
};

/** Draws an undamaged text file of some kind. */
function wholeFile(chance: Chance): [name: string, bytes: Uint8Array<ArrayBuffer>] {
  const rows = [BOOK, BOOK.slice(0, 500), BOOK].map((text) => ({ text, id: 1 }));
  const [name, bytes] = chance.pick<() => [string, Uint8Array<ArrayBuffer>]>([
    () => ["book.txt", bytesOf(BOOK)],
    () => ["rows.jsonl", bytesOf(rows.map((row) => JSON.stringify(row)).join("\n"))],
    () => ["rows.json", bytesOf(JSON.stringify(rows))],
    () => ["rows.json", bytesOf(JSON.stringify({ version: "1", data: rows }))],
    () => ["table.parquet", Deno.readFileSync(join(parquet, chance.pick(TABLES)))],
    () => ["table.parquet", Deno.readFileSync(join(parquet, chance.pick(TABLES)))],
  ])();
  if (name.endsWith(".parquet") || chance.happens(0.6)) return [name, bytes];
  return [`${name}.gz`, chance.happens(0.5) ? zip(bytes) : joined(zip(bytes.slice(0, 999)), zip(bytes.slice(999)))];
}

/** Makes the case of a seed; returns the data set's path and what was done. */
export function damagedText(seed: number, folder: string): { path: string; damage: string } {
  const chance = new Chance(seed ^ 0x2545f491);
  const [name, bytes] = wholeFile(chance);
  const path = join(folder, name);
  const write = (changed: Uint8Array) => Deno.writeFileSync(path, changed);
  const say = (damage: string, at = path) => ({ path: at, damage });
  write(bytes);
  switch (chance.below(12)) {
    case 0:
    case 1:
    case 2:
    case 3: {
      // A table's footer is at its end.
      const isTail = name.endsWith(".parquet") && chance.happens(0.5);
      const turned = isTail ? bytes.toReversed() : bytes;
      const [changed, how] = damageBytes(chance, turned, isTail ? 600 : undefined);
      write(isTail ? changed.toReversed() : changed);
      return say(`${name} ${how}${isTail ? ", from its end" : ""}`);
    }
    case 4: {
      const [odd, how] = oddBytes(chance);
      write(name.endsWith(".gz") && chance.happens(0.7) ? zip(odd) : odd);
      return say(`${name} ${how}`);
    }
    case 5:
      return say(`${name} ${replaceFile(chance, path)}`);
    case 6: {
      const at = chance.below(bytes.length);
      const piece = chance.pick([[0xff], [0xc3, 0x28], [0], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [
        0x1b,
        0x5b,
        0x32,
        0x4a,
      ]]);
      write(joined(bytes.subarray(0, at), Uint8Array.from(piece), bytes.subarray(at)));
      return say(`${name} has ${piece} at ${at}`);
    }
    case 7: {
      const rows = Array.from(
        { length: 1 + chance.below(20) },
        () => chance.happens(0.5) ? { text: nonsense(chance) } : nonsense(chance),
      );
      Deno.writeTextFileSync(join(folder, "odd.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
      return say("rows of nonsense", join(folder, "odd.jsonl"));
    }
    case 8: {
      const other = join(folder, "odd.json");
      const text = chance.pick([
        `{"data": ${"[".repeat(1_000_000)}`,
        `[${'{"a":'.repeat(300_000)}1${"}".repeat(300_000)}]`,
        `[{"${CONTROLS[0]}": 1}]`,
        `[{"${"n".repeat(5_000_000)}": 1}]`,
        `[{"text": "${"a".repeat(50_000_000)}"}]`,
        `{"text": ${"\\u0000".repeat(1000)}}`,
        `["${"\\ud800".repeat(3000)}", "${"\\u001b[2J ".repeat(1000)}"]`,
        `[1e999, ${"9".repeat(100_000)}]`,
      ]);
      Deno.writeTextFileSync(other, text);
      return say(`odd.json: ${text.slice(0, 30)} …`, other);
    }
    case 9: {
      const bomb = chance.pick(Object.keys(BOMBS));
      const other = join(folder, bomb.replace("endless: ", ""));
      Deno.writeFileSync(other, BOMBS[bomb]!());
      return say(bomb, other);
    }
    case 10: {
      // A folder in which some entries are not files.
      const sub = join(folder, "many");
      Deno.mkdirSync(sub);
      for (let i = 0; i < 3; i++) Deno.writeTextFileSync(join(sub, `${i}.txt`), BOOK);
      const [what, make] = chance.pick<[string, () => void]>([
        ["a FIFO", () => mkfifo(join(sub, "0a.txt"))],
        ["a FIFO first", () => mkfifo(join(sub, "-.txt"))],
        ["a link to /dev/zero", () => Deno.symlinkSync("/dev/zero", join(sub, "-.txt"))],
        ["a link to its parent", () => Deno.symlinkSync("..", join(sub, "loop"))],
        ["a name of control characters", () => Deno.writeTextFileSync(join(sub, `-${CONTROLS[0]}.txt`), "\0")],
        ["a link to itself", () => Deno.symlinkSync("-.txt", join(sub, "-.txt"))],
        ["bytes", () => Deno.writeFileSync(join(sub, "-.txt"), new Uint8Array([1, 2, 0xff, 0]))],
      ]);
      make();
      return say(`a folder with ${what}`, sub);
    }
    default: {
      // Numbers of a footer, made huge.
      const changed = bytes.slice();
      const from = Math.max(0, changed.length - 700);
      for (let i = 1 + chance.below(4); i > 0; i--) {
        const at = from + chance.below(changed.length - from);
        changed.set([0xff, 0xff, 0xff, 0xff, 0x7f].slice(0, changed.length - at), at);
      }
      write(changed);
      return say(`${name} has huge numbers near its end`);
    }
  }
}

/** Takes samples of damaged texts. */
export async function* run({ seed, count, wholeOneIn }: TortureOptions): AsyncIterable<Verdict> {
  yield* inPairs(Array.from({ length: count }, (_, i) => seed + i), async (seed: number, opener: Opener) => {
    await using folder = new CaseFolder();
    const { path, damage } = damagedText(seed, folder.given);
    // A pipe given as the data set waits for its writer.
    const isBomb = damage.startsWith("endless") ||
      path.startsWith(`${folder.given}/`) && /is a (link to a )?FIFO/.test(damage);
    return await judgeCase({
      group: "texts",
      seed,
      damage,
      // One of three runs by the command line and ends by SIGTERM; the others are aborted after a while.
      endless: isBomb && seed % 3 === 0,
      opening: { type: "text", path, ...(isBomb ? { abortAfter: 5000 } : {}) },
      args: ["--dataset", path, "--min_chars", "100"],
      wholeOneIn: isBomb ? Infinity : wholeOneIn,
    }, opener);
  });
}
