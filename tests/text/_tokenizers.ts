import { dirname } from "@std/path";

/** Tokenizers of the usual kinds, made from the embedded model's and with the same vocabulary. */
const embedded = "lib/assets/novel-neox-8m";

interface TokenizerJson {
  added_tokens: unknown[];
  normalizer: unknown;
  pre_tokenizer: unknown;
  post_processor: unknown;
  decoder: unknown;
  model: { vocab: Record<string, number>; merges: [string, string][]; [field: string]: unknown };
}

export const embeddedJson = async (): Promise<TokenizerJson> =>
  JSON.parse(await Deno.readTextFile(`${embedded}/tokenizer.json`));

/** Like Llama 3, Qwen 2 and GPT-4: words split by a pattern that joins punctuation and newlines. */
export async function patternJson(): Promise<TokenizerJson> {
  const json = await embeddedJson();
  const pattern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" +
    "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  json.pre_tokenizer = {
    type: "Sequence",
    pretokenizers: [
      { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
      { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
    ],
  };
  return json;
}

/**
 * Like Llama 1 and 2: not split into words, spaces made visible, a space before the text, bytes for unknown characters.
 */
export async function metaspaceJson(): Promise<TokenizerJson> {
  const json = await embeddedJson();
  const visible = (token: string) => token.replaceAll("Ġ", "▁");
  const { vocab, merges } = json.model;
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  json.model = {
    ...json.model,
    byte_fallback: true,
    unk_token: "<unk>",
    vocab: Object.fromEntries(
      [...Object.keys(vocab).map(visible), ...bytes, "<unk>"].map((token, id) => [token, id] as const),
    ),
    merges: merges.map(([a, b]) => [visible(a), visible(b)]),
  };
  json.normalizer = {
    type: "Sequence",
    normalizers: [
      { type: "Prepend", prepend: "▁" },
      { type: "Replace", pattern: { String: " " }, content: "▁" },
    ],
  };
  json.pre_tokenizer = null;
  json.decoder = {
    type: "Sequence",
    decoders: [
      { type: "Replace", pattern: { String: "▁" }, content: " " },
      { type: "ByteFallback" },
      { type: "Fuse" },
      { type: "Strip", content: " ", start: 1, stop: 0 },
    ],
  };
  return json;
}

/** Writes the files of a model folder, calls `use` with it, and deletes it. */
export async function withFolder<T>(files: Record<string, unknown>, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, content] of Object.entries(files)) {
      const bytes = content instanceof Uint8Array
        ? content
        : new TextEncoder().encode(typeof content === "string" ? content : JSON.stringify(content));
      const path = `${folder}/${name}`;
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeFile(path, bytes);
    }
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Packs a text. */
export async function gzip(text: string): Promise<Uint8Array> {
  const packed = ReadableStream.from([new TextEncoder().encode(text)]).pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}
