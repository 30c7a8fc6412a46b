/** Damaged model folders, one for each seed. */
import { fromFileUrl, join } from "@std/path";
import { safetensors, type Stored, withHeader } from "../model/_safetensors.ts";
import { CONTROLS, damageBytes, damageJson, nonsense, oddBytes, replaceFile } from "./damage.ts";
import { CaseFolder, inPairs, judgeCase, type Opener } from "./judge.ts";
import { Chance } from "./chance.ts";
import type { TortureOptions, Verdict } from "./verdict.ts";

const tiny = fromFileUrl(new URL("../fixtures/tiny", import.meta.url));
const FAMILIES = [...Deno.readDirSync(tiny)].map(({ name }) => name).sort();

type Json = Record<string, unknown>;

/** A model folder under damage. */
class Model {
  readonly config: Json;

  constructor(readonly folder: string, readonly chance: Chance) {
    const from = join(tiny, chance.pick(FAMILIES));
    for (const { name } of Deno.readDirSync(from)) {
      if (/^(config\.json|.*\.safetensors|.*\.index\.json)$/.test(name)) {
        Deno.copyFileSync(join(from, name), join(folder, name));
      }
    }
    this.config = this.json("config.json");
    this.write("tokenizer.json", JSON.stringify(bytesTokenizer(this.config.vocab_size as number)));
    if (chance.happens(0.3)) {
      this.write("tokenizer_config.json", JSON.stringify({ add_bos_token: false, bos_token: "a" }));
    }
    if (chance.happens(0.3) && this.shards.length === 1) this.shard();
  }

  get names(): string[] {
    return [...Deno.readDirSync(this.folder)].map(({ name }) => name).sort();
  }

  get shards(): string[] {
    return this.names.filter((name) => name.endsWith(".safetensors"));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  read(name: string): Uint8Array<ArrayBuffer> {
    return Deno.readFileSync(this.path(name));
  }

  json(name: string): Json {
    return JSON.parse(new TextDecoder().decode(this.read(name)));
  }

  write(name: string, content: string | Uint8Array): void {
    Deno.writeFileSync(this.path(name), typeof content === "string" ? new TextEncoder().encode(content) : content);
  }

  /** Returns a file's header and the bytes after it. */
  parts(name: string): { header: Json; data: Uint8Array<ArrayBuffer> } {
    const bytes = this.read(name);
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    return {
      header: JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))),
      data: bytes.slice(8 + length),
    };
  }

  /** Splits a file into two files and an index. */
  shard(): void {
    const { header, data } = this.parts("model.safetensors");
    const halves: Record<string, Stored>[] = [{}, {}];
    const map: Record<string, string> = {};
    for (const [name, entry] of Object.entries(header)) {
      if (name === "__metadata__") continue;
      const { dtype, shape, data_offsets: [begin, end] } = entry as {
        dtype: string;
        shape: number[];
        data_offsets: [number, number];
      };
      const half = this.chance.below(2);
      halves[half]![name] = { dtype, shape, data: data.slice(begin, end) };
      map[name] = `model-0000${half + 1}-of-00002.safetensors`;
    }
    Deno.removeSync(this.path("model.safetensors"));
    halves.forEach((half, i) => this.write(`model-0000${i + 1}-of-00002.safetensors`, safetensors(half)));
    this.write("model.safetensors.index.json", JSON.stringify({ metadata: {}, weight_map: map }));
  }
}

/** Makes a tokenizer of bytes with ids below `vocab`. */
function bytesTokenizer(vocab: number) {
  const visible = [...Array(256).keys()].filter((byte) =>
    byte > 32 && byte !== 127 && !(byte > 127 && byte < 161) && byte !== 173
  );
  let next = 256;
  const letters = [...Array(256).keys()].map((byte) => String.fromCodePoint(visible.includes(byte) ? byte : next++));
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [] as unknown[],
    normalizer: null as unknown,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true } as unknown,
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(letters.map((letter, i) => [letter, i % vocab])) as Record<string, unknown>,
      merges: [] as unknown[],
    },
  };
}

/** Regular expressions that backtrack without end over a text of letters. */
const ENDLESS = ["([A-Za-z ,.]+)+#", "((\\w|\\s)+)+#", "([^#]|[^@])+@@", "(([a-z]+\\s?)+)+#"];

/** Kinds of damage; each returns what it did. "endless" marks cases that may run for ever, and must end by SIGTERM. */
const DAMAGES: readonly ((model: Model, chance: Chance) => string)[] = [
  function configFields(model, chance) {
    const config = model.config;
    const done = damageJson(chance, config);
    model.write("config.json", JSON.stringify(config));
    return `config.json ${done}`;
  },
  function configFieldsTwice(model, chance) {
    const config = model.config;
    const names = Object.keys(config);
    const name = chance.pick(names);
    config[name] = nonsense(chance);
    model.write("config.json", JSON.stringify(config));
    return `config.json changes ${name}`;
  },
  function anyFilesBytes(model, chance) {
    const name = chance.pick(model.names);
    const bytes = model.read(name);
    const reach = name.endsWith(".safetensors")
      ? 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true))
      : bytes.length;
    const [changed, how] = damageBytes(chance, bytes, chance.happens(0.7) ? reach : bytes.length);
    model.write(name, changed);
    return `${name} ${how}`;
  },
  function jsonReplaced(model, chance) {
    const name = chance.pick(model.names.filter((name) => name.endsWith(".json")));
    const [bytes, how] = oddBytes(chance);
    model.write(name, bytes);
    return `${name} ${how}`;
  },
  function fileReplaced(model, chance) {
    const name = chance.pick(model.names);
    return `${name} ${replaceFile(chance, model.path(name))}`;
  },
  function header(model, chance) {
    const file = chance.pick(model.shards);
    const { header, data } = model.parts(file);
    const names = Object.keys(header).filter((name) => name !== "__metadata__");
    const name = chance.pick(names);
    const entry = header[name] as { dtype: unknown; shape: unknown[]; data_offsets: [unknown, unknown] };
    const how = chance.pick<[string, () => void]>([
      [
        "an offset out of range",
        () => entry.data_offsets[chance.below(2)] = chance.pick([-1, 2 ** 53, 1e300, data.length + 4, 0.5, "0"]),
      ],
      ["the place of another", () => entry.data_offsets = (header[chance.pick(names)] as typeof entry).data_offsets],
      ["another type", () => entry.dtype = chance.pick(["F16", "F64", "F8_E4M3", "I64", "", 3, CONTROLS[0], "U64"])],
      [
        "another shape",
        () =>
          entry.shape = chance.pick<unknown[]>([
            [],
            [0],
            [-1],
            [2 ** 32, 2 ** 32],
            [1, ...entry.shape],
            entry.shape.toReversed(),
            new Array(100_000).fill(1),
          ]),
      ],
      ["a long name", () => (header["n".repeat(1_000_000)] = entry, delete header[name])],
      ["a name of control characters", () => (header[CONTROLS.join("")] = entry, delete header[name])],
      ["nonsense", () => header[name] = nonsense(chance)],
      ["nonsense for metadata", () => header.__metadata__ = nonsense(chance)],
      ["nothing", () => delete header[name]],
    ]);
    how[1]();
    model.write(file, withHeader(JSON.stringify(header), [data]));
    return `${file} has ${how[0]} for ${name}`;
  },
  function headerText(model, chance) {
    const file = chance.pick(model.shards);
    const { header, data } = model.parts(file);
    const [first] = Object.entries(header).filter(([name]) => name !== "__metadata__");
    const text = JSON.stringify(header);
    const [changed, how] = chance.pick(
      [
        [text.replace(/}$/, `,${JSON.stringify(first![0])}:${JSON.stringify(first![1])}}`), "gives a name twice"],
        [" ".repeat(100_000) + text, "has a header of spaces"],
        [text + "\0".repeat(8), "has zeros after its header"],
        ["{}", "has no tensors"],
        [`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, "nests its header"],
      ] as const,
    );
    model.write(file, withHeader(changed, [data]));
    return `${file} ${how}`;
  },
  function headerLength(model, chance) {
    const file = chance.pick(model.shards);
    const bytes = model.read(file);
    const length = chance.pick([
      0n,
      1n,
      7n,
      2n ** 32n,
      2n ** 63n,
      2n ** 64n - 1n,
      BigInt(bytes.length - 8),
      100_000_001n,
    ]);
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    model.write(file, bytes);
    return `${file} says that its header has ${length} bytes`;
  },
  function weights(model, chance) {
    const file = chance.pick(model.shards);
    const { header, data } = model.parts(file);
    const names = Object.keys(header).filter((name) => name !== "__metadata__");
    const name = chance.pick(names);
    const { dtype, data_offsets: [begin, end] } = header[name] as { dtype: string; data_offsets: [number, number] };
    const [value, what] = chance.pick(
      [[NaN, "NaN"], [Infinity, "infinity"], [-Infinity, "minus infinity"], [3e38, "3e38"]] as const,
    );
    const view = new DataView(data.buffer, begin, end - begin);
    const all = chance.happens(0.5);
    const size = dtype === "F32" ? 4 : dtype === "F64" ? 8 : 2;
    for (let at = 0; at + size <= view.byteLength; at += all ? size : size * (1 + chance.below(200))) {
      if (size === 4) view.setFloat32(at, value, true);
      else if (size === 8) view.setFloat64(at, value, true);
      else view.setUint16(at, dtype === "BF16" ? 0x7fc0 : 0x7e00, true);
    }
    model.write(file, withHeader(JSON.stringify(header), [data]));
    return `${name} has ${all ? "only" : "some"} ${what}`;
  },
  function index(model, chance) {
    if (model.shards.length === 1) model.shard();
    const name = "model.safetensors.index.json";
    const index = model.json(name);
    const map = index.weight_map as Json;
    const outside = [
      "../outside/secret.txt",
      join(model.folder, "..", "outside", "secret.txt"),
      "/etc/passwd",
      "..",
      ".",
      "",
      "a/b.safetensors",
    ];
    const how = chance.below(6);
    const key = chance.pick(Object.keys(map));
    if (how === 0) map[key] = chance.pick(outside);
    else if (how === 1) map[key] = nonsense(chance);
    else if (how === 2) map[key] = `gone${chance.pick(CONTROLS)}`;
    else if (how === 3) index.weight_map = nonsense(chance);
    else if (how === 4) { for (const key of Object.keys(map)) map[key] = chance.pick(Object.values(map)); }
    else Deno.removeSync(model.path(chance.pick(model.shards)));
    model.write(name, JSON.stringify(index));
    return `index: ${["a path", "nonsense", "a missing shard", "no map", "shards mixed", "a shard removed"][how]}`;
  },
  function ids(model, chance) {
    const tokenizer = bytesTokenizer(model.config.vocab_size as number);
    const { vocab } = tokenizer.model;
    const wrong = chance.pick<unknown>([-1, 0.5, "1", null, {}, [1], 1e9, 2 ** 53, true, CONTROLS[0]]);
    const keys = chance.happens(0.5) ? Object.keys(vocab) : ["e", "a"];
    for (const key of keys) vocab[key] = wrong;
    if (chance.happens(0.2)) { for (const key of keys) delete vocab[key]; }
    model.write("tokenizer.json", JSON.stringify(tokenizer));
    return `tokenizer.json has ${JSON.stringify(wrong)} as ids`;
  },
  function tokenizer(model, chance) {
    const tokenizer = bytesTokenizer(model.config.vocab_size as number);
    if (chance.happens(0.2)) tokenizer.model.merges = [nonsense(chance)];
    if (chance.happens(0.3)) {
      tokenizer.added_tokens = [{ id: nonsense(chance), content: nonsense(chance), special: true }];
    }
    const done = damageJson(chance, tokenizer as unknown as Json);
    model.write("tokenizer.json", JSON.stringify(tokenizer));
    return `tokenizer.json ${done}`;
  },
  function tokenizerConfig(model, chance) {
    const config: Json = { tokenizer_class: "LlamaTokenizer", add_bos_token: true, bos_token: "a" };
    const done = damageJson(chance, config);
    model.write("tokenizer_config.json", JSON.stringify(config));
    return `tokenizer_config.json ${done}`;
  },
  function pattern(model, chance) {
    const tokenizer = bytesTokenizer(model.config.vocab_size as number);
    const Regex = chance.pick([...ENDLESS, "(", "[z-a]", "(?<!", "\\p{Nonsense}", "a{99999999}", "(?i:".repeat(1000)]);
    const isSplit = chance.happens(0.6);
    if (isSplit) {
      tokenizer.pre_tokenizer = {
        type: "Sequence",
        pretokenizers: [
          { type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false },
          tokenizer.pre_tokenizer,
        ],
      };
    } else tokenizer.normalizer = { type: "Replace", pattern: { Regex }, content: "b" };
    model.write("tokenizer.json", JSON.stringify(tokenizer));
    return `${ENDLESS.includes(Regex) ? "endless: " : ""}tokenizer.json ${isSplit ? "splits by" : "replaces"} ${
      Regex.slice(0, 20)
    }`;
  },
];

/** Makes the case of a seed in a folder; returns what was done. */
export function damagedFolder(seed: number, folder: string): string {
  const chance = new Chance(seed);
  const model = new Model(folder, chance);
  const damage = chance.pick(DAMAGES);
  const done = [damage(model, chance)];
  try {
    if (chance.happens(0.15)) done.push(chance.pick(DAMAGES)(model, chance));
  } catch { /* the first left nothing to damage */ }
  return done.join("; ");
}

/** Opens damaged model folders. */
export async function* run({ seed, count, wholeOneIn }: TortureOptions): AsyncIterable<Verdict> {
  yield* inPairs(Array.from({ length: count }, (_, i) => seed + i), async (seed: number, opener: Opener) => {
    await using folder = new CaseFolder();
    const damage = damagedFolder(seed, folder.given);
    return await judgeCase({
      group: "folders",
      seed,
      damage,
      endless: damage.includes("endless"),
      opening: { type: "model", path: folder.given },
      args: ["--model_id", folder.given],
      wholeOneIn,
    }, opener);
  });
}
