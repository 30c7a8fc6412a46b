import assert from "node:assert/strict";
import { InputError } from "../../lib/util/errors.ts";
import { type DatasetOptions, openDataset } from "../../lib/text/dataset.ts";
import type { TextSource } from "../../lib/text/text_source.ts";

/** Makes a text that arrives in pieces of some length; each request reads as few as needed. */
export function piecewise(text: string, length: number): TextSource & { read: number } {
  return {
    read: 0,
    head(wanted) {
      while (this.read < Math.min(wanted, text.length)) this.read = Math.min(this.read + length, text.length);
      return Promise.resolve({
        text: text.slice(0, this.read),
        complete: this.read === text.length && wanted > this.read,
      });
    },
  };
}

/** Returns all texts of a data set, whole. */
export async function textsOf(dataset: string, options: Omit<DatasetOptions, "dataset"> = {}): Promise<string[]> {
  const { texts } = await openDataset({ minChars: 1, ...options, dataset });
  return await Array.fromAsync(texts, async (text) => (await text.head(Infinity)).text);
}

/** Expects reading a data set to fail with this message. */
export async function refuses(dataset: string, message: RegExp, options: Omit<DatasetOptions, "dataset"> = {}) {
  await assert.rejects(textsOf(dataset, options), (error: Error) => {
    assert(error instanceof InputError, String(error));
    assert(error.message.startsWith(`Cannot read --dataset ${dataset}: `), error.message);
    assert.match(error.message, message);
    assert(!error.message.includes("\n"), error.message);
    return true;
  });
}
