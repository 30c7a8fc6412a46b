/**
 * Opens damaged files, one case after another, in a process that the judge watches and may kill. Reads a line of JSON
 * for each case from standard input, and writes a line for each to standard output.
 */
import { InputError } from "../../lib/util/errors.ts";
import { HubError } from "../../lib/hub/errors.ts";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { methods } from "../../lib/policies/registry.ts";
import { runBenchmark } from "../../lib/run/benchmark.ts";
import { checkTokens } from "../../lib/run/plan/check_input.ts";
import { readLines } from "../../lib/process/deno_child.ts";
import { openDataset } from "../../lib/text/dataset.ts";
import { sampleTokens } from "../../lib/text/samples.ts";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";

/** A case. */
export type Opening =
  /** Open a model and its tokenizer, and if that works measure it. */
  | { readonly type: "model"; readonly path: string }
  /** Take samples of a text; reading is aborted after `abortAfter` ms. */
  | { readonly type: "text"; readonly path: string; readonly abortAfter?: number };

/** Result of an opening. */
export interface Opened {
  /** Whether it was taken. */
  readonly taken: boolean;
  /** The refusal, or notes. */
  readonly message: string;
  /** The stack of an error that a user should not see. */
  readonly stack?: string;
  /** Whether figures are NaN without a note. */
  readonly silent?: boolean;
  /** Whether it ended because it was aborted. */
  readonly aborted?: boolean;
}

async function open(opening: Opening): Promise<Opened> {
  const signal = opening.type === "text" && opening.abortAfter !== undefined
    ? AbortSignal.timeout(opening.abortAfter)
    : undefined;
  try {
    return opening.type === "model" ? await model(opening.path) : await text(opening.path, signal);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (signal?.aborted && error === signal.reason) return { taken: false, aborted: true, message };
    const isExpected = error instanceof InputError || error instanceof HubError;
    return { taken: false, message, ...(isExpected ? {} : { stack: (error as Error).stack ?? message }) };
  }
}

async function model(path: string): Promise<Opened> {
  const found = openModelFolder(path);
  const tokenizer = await loadTokenizer(found.path);
  checkTokens([[...tokenizer.prefix, ...tokenizer.encode("Call me Ishmael. Some years ago")]], found);
  const notes: string[] = [];
  const { results } = await runBenchmark({
    model_id: path,
    configurations: [{ name: "streaming", policy: methods.streaming_llm({ start_size: 2, recent_size: 6 }) }],
    device: "cpu",
    num_samples: 1,
    max_tokens: 12,
    prompt_tokens: 6,
    max_new_tokens: 3,
    num_warmup: 0,
    repetitions: 1,
    skip_layers: [0],
    output: null,
    onNote: (note) => notes.push(note),
  });
  const noted = results.configurations.flatMap((record) => (record as { notes?: readonly string[] }).notes ?? []);
  const said = [...results.failures.map(({ reason }) => reason), ...noted, ...notes].join("\n");
  const [raw] = results.raw_results;
  if (raw === undefined) return { taken: false, message: said };
  const figures = [raw.perplexity, raw.accuracy, ...raw.nll];
  const isSound = figures.every((figure) => typeof figure === "number" && Number.isFinite(figure));
  // A text that a model finds impossible has an infinite perplexity; that needs a note too.
  return { taken: true, message: said, silent: !isSound && !/nan|finite/i.test(said) };
}

async function text(path: string, signal?: AbortSignal): Promise<Opened> {
  const data = await openDataset({ dataset: path, minChars: 100, signal });
  const { samples } = await sampleTokens({
    texts: data.texts,
    about: data.passedOver,
    tokenizer: await embedded,
    samples: 2,
    tokensPerSample: 65,
  });
  const isSound = samples.length === 2 && samples.flat().every((id) => Number.isInteger(id) && id >= 0 && id < 4096);
  const hash = await data.sha256();
  return { taken: true, message: hash, silent: !isSound };
}

const embedded = loadTokenizer(new URL("../../lib/assets/novel-neox-8m", import.meta.url).pathname);

if (import.meta.main) {
  let last = Promise.resolve();
  await readLines(Deno.stdin.readable, (line) => {
    last = last.then(async () => console.log(JSON.stringify(await open(JSON.parse(line)))));
  });
  await last;
}
