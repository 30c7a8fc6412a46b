import { PTX_FOLDER } from "../../kernels/ptx_files.ts";
import { type ModelFolder, openModelFolder } from "../../model/folder/model_folder.ts";
import { bringAssets } from "../../process/assets.ts";
import { openDataset } from "../../text/dataset.ts";
import { sampleTokens } from "../../text/samples.ts";
import { TokenizerProcess } from "../../text/tokenizer_process.ts";
import type { FloatType } from "../../util/dtype.ts";
import { probe } from "../child/child.ts";
import type { Probe } from "../child/protocol.ts";
import { checkLengths, checkSkipLayers, checkTokens } from "./check_input.ts";
import { chooseDtype } from "./choose.ts";
import { type DeviceDefaults, resolveDefaults } from "./device_defaults.ts";
import { checkExportOptions } from "./export_limits.ts";
import { findModel, type FoundModel } from "./find_model.ts";
import type { BenchmarkOptions } from "./options.ts";

/** What all configurations of a run share: the model, the text as token ids, the device, the lengths. */
export interface RunInput {
  readonly model: ModelFolder;
  /** For a model from the hub: revision and commit. */
  readonly hub: FoundModel["hub"];
  /** Layers that are never compressed, in order. */
  readonly skipLayers: readonly number[];
  readonly text: Awaited<ReturnType<typeof openDataset>>;
  /** Token ids, `[samples][at least the passes' tokens]`. */
  readonly samples: readonly (readonly number[])[];
  /** Number of different texts that the samples are from. */
  readonly texts: number;
  readonly found: Probe;
  readonly lengths: DeviceDefaults;
  readonly dtype: FloatType;
}

/**
 * Opens the model, the text and the device, in parallel where they do not depend on each other.
 *
 * @param options The options given.
 * @returns What was opened.
 * @throws {InputError} Saying what is wrong and what would do.
 */
export async function openInput(options: BenchmarkOptions): Promise<RunInput> {
  const { dataset = "moby_dick", signal, onNote = () => {} } = options;
  const { folder, hub } = await findModel(options);
  const model = openModelFolder(folder, options.dtype);
  const skipLayers = checkSkipLayers(options.skip_layers ?? [0, 1], model);
  using tokenizer = new TokenizerProcess(model.path, signal);
  const text = await openDataset({
    dataset,
    split: options.split,
    textColumn: options.text_column,
    minChars: options.min_chars,
    hub: { onNote, onDownload: options.onDownload, offline: options.offline, signal },
    signal,
    onNote,
  });
  const found = await probe(options.device ?? "auto", signal);
  if (found.device === "cuda") await bringAssets(PTX_FOLDER, { onNote, signal });
  if (found.note) onNote(found.note);
  const lengths = lengthsOf(options, found.device);
  checkLengths(lengths, options);
  checkExportOptions(model, options, lengths.prompt_tokens);
  const { samples, texts } = await sampleTokens({
    texts: text.texts,
    about: text.passedOver,
    tokenizer: await tokenizer.loaded,
    samples: lengths.num_samples,
    tokensPerSample: Math.max(lengths.max_tokens + 1, lengths.prompt_tokens),
    successive: options.successive,
  });
  checkTokens(samples, model);
  const dtype = chooseDtype(options.dtype ?? "auto", model, found.device);
  return { model, hub, skipLayers, text, samples, texts, found, lengths, dtype };
}

function lengthsOf(options: BenchmarkOptions, device: Probe["device"]): DeviceDefaults {
  const { num_samples, max_tokens, max_new_tokens, prompt_tokens, num_warmup, repetitions } = options;
  const rows = options.configurations.length * [options.positions ?? "absolute"].flat().length;
  const given = { num_samples, max_tokens, max_new_tokens, prompt_tokens, num_warmup, repetitions };
  return resolveDefaults(given, device, rows);
}
