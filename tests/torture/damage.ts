/** Damage to any file: its bytes, its JSON, or something else in its place. */
import { basename, dirname, join } from "@std/path";
import type { Chance } from "./chance.ts";

/** Text that no output may show: it is in files outside of the given ones. */
export const CANARY = "CANARY-5d0c1f";

/** Control sequences that a name may hold: colours, a title, a faked line of output, C1, a reversed direction. */
export const CONTROLS = [
  "\x1b[2J\x1b[H",
  "\x1b]0;owned\x07",
  "a\rCannot\nfake line",
  "\x9b31m",
  "\u202etxt.exe",
  "\0",
  "\u2028x",
];

/** Draws a nonsense value for a field. */
export function nonsense(chance: Chance): unknown {
  return chance.pick<() => unknown>([
    () => chance.pick([0, -1, 1, 2, 3, 7, 0.5, -0.5, 1e-300, 1e9, 2 ** 31, 2 ** 53, 1e300, -(2 ** 63), 1e308 * 10]),
    () => chance.below(1000),
    () => chance.pick(["", "16", "gelu", "relu", "yarn", "__proto__", "constructor", "NaN", "../..", "float8"]),
    () => chance.pick([null, true, false, [], {}, [[]], [null], { a: { b: [] } }]),
    () => chance.pick(CONTROLS) + chance.pick(CONTROLS),
    () => "long".repeat(chance.pick([200, 5000, 500_000])),
    () => Array.from({ length: chance.pick([3, 1000, 100_000]) }, () => chance.below(9)),
    () => ({ [chance.pick(CONTROLS)]: chance.pick(CONTROLS) }),
  ])();
}

/** Changes, removes or adds some fields of an object, nested ones too. Returns what was done. */
export function damageJson(chance: Chance, value: Record<string, unknown>): string {
  const done: string[] = [];
  for (let i = 1 + chance.below(3); i > 0; i--) {
    let at = value;
    let keys = Object.keys(at);
    while (keys.length > 0 && chance.happens(0.5)) {
      const inner = at[chance.pick(keys)];
      if (typeof inner !== "object" || inner === null) break;
      at = inner as Record<string, unknown>;
      keys = Object.keys(at);
    }
    const key = keys.length > 0 ? chance.pick(keys) : "x";
    const how = chance.below(8);
    if (how === 0) delete at[key];
    else if (how === 1) at[chance.pick(CONTROLS)] = nonsense(chance);
    else if (how === 2) at[key] = at[keys.length > 0 ? chance.pick(keys) : "x"];
    else at[key] = nonsense(chance);
    done.push(`${["drops", "adds to", "copies into"][how] ?? "changes"} ${key.slice(0, 30)}`);
  }
  return done.join(", ");
}

/** Changes, removes or adds bytes, within the first `reach`. */
export function damageBytes(
  chance: Chance,
  bytes: Uint8Array<ArrayBuffer>,
  reach = bytes.length,
): [Uint8Array<ArrayBuffer>, string] {
  const most = Math.max(1, Math.min(reach, bytes.length));
  const at = chance.below(most);
  switch (chance.below(7)) {
    case 0:
      return [bytes.slice(0, at), `ends at byte ${at}`];
    case 1: {
      const changed = bytes.slice();
      for (let i = 1 + chance.below(20); i > 0; i--) changed[chance.below(most)]! ^= 1 << chance.below(8);
      return [changed, "bits flipped"];
    }
    case 2: {
      const changed = bytes.slice();
      for (let i = 1 + chance.below(8); i > 0; i--) {
        changed[chance.below(most)] = chance.pick([0, 0xff, 0x22, 0x7b, 0x5d, 0x39, 0x1b]);
      }
      return [changed, "bytes overwritten"];
    }
    case 3: {
      const piece = bytes.subarray(at, at + chance.below(200));
      return [joined(bytes.subarray(0, at), piece, bytes.subarray(at)), `repeats ${piece.length} bytes at ${at}`];
    }
    case 4:
      return [joined(bytes, new Uint8Array(1 + chance.below(100)).fill(chance.below(256))), "has bytes after its end"];
    case 5:
      return [joined(bytes.subarray(0, at), bytes.subarray(at + 1 + chance.below(100))), `lacks bytes at ${at}`];
    default:
      return [bytes.slice().fill(chance.below(256), at, at + 1 + chance.below(64)), `is filled at ${at}`];
  }
}

/** Draws contents that are hard to read, in place of a JSON file. */
export function oddBytes(chance: Chance): [Uint8Array<ArrayBuffer>, string] {
  const text = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
  return chance.pick<() => [Uint8Array<ArrayBuffer>, string]>([
    () => [new Uint8Array(), "is empty"],
    () => [text("["), "is one bracket"],
    () => [text("[".repeat(2_000_000)), "is 2,000,000 brackets"],
    () => [text('{"a":'.repeat(500_000) + "1" + "}".repeat(500_000)), "is nested 500,000 deep"],
    () => [text(chance.pick(["null", "1", '"x"', "[]", "{}", "true", "NaN", `"${CONTROLS[0]}"`])), "is another value"],
    () => [new Uint8Array([0xff, 0xfe, 0x7b, 0, 0x7d, 0]), "is UTF-16"],
    () => [new Uint8Array([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]), "is no UTF-8"],
    () => [new Uint8Array(5000), "is zeros"],
    () => [
      text(`version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 3\n`),
      "is a pointer of Git LFS",
    ],
    () => [text(`<html>${CONTROLS.join("")}</html>`), "is HTML"],
  ])();
}

/** Puts something else in a file's place. */
export function replaceFile(chance: Chance, path: string): string {
  if (chance.happens(0.9)) remove(path);
  else return "stays";
  const outside = join(dirname(path), "..", "outside");
  const kinds: Record<string, () => void> = {
    "a FIFO": () => mkfifo(path),
    "a link to a FIFO": () => (mkfifo(`${path}.pipe`), Deno.symlinkSync(`${basename(path)}.pipe`, path)),
    "a link to /dev/zero": () => Deno.symlinkSync("/dev/zero", path),
    "a link to /dev/stdin": () => Deno.symlinkSync("/dev/stdin", path),
    "a link to /dev/tty": () => Deno.symlinkSync("/dev/tty", path),
    "a link to /proc/self/environ": () => Deno.symlinkSync("/proc/self/environ", path),
    "a link to /etc/passwd": () => Deno.symlinkSync("/etc/passwd", path),
    "a link to a text outside": () => Deno.symlinkSync(join(outside, "secret.txt"), path),
    "a link to itself": () => Deno.symlinkSync(basename(path), path),
    "a link to nothing": () => Deno.symlinkSync(`gone${CONTROLS[0]}`, path),
    "a folder": () => Deno.mkdirSync(path),
    "a link to its folder": () => Deno.symlinkSync(".", path),
    "a sparse file of 100 GB": () => sparse(path, 100e9),
    "a sparse file of 1 GB": () => sparse(path, 1e9),
    "empty": () => Deno.writeFileSync(path, new Uint8Array()),
    "nothing": () => {},
  };
  const kind = chance.pick(Object.keys(kinds));
  kinds[kind]!();
  return `is ${kind}`;
}

function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch { /* it does not exist */ }
}

export function mkfifo(path: string): void {
  new Deno.Command("mkfifo", { args: [path] }).outputSync();
}

export function sparse(path: string, bytes: number): void {
  using file = Deno.openSync(path, { write: true, create: true });
  file.truncateSync(bytes);
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
