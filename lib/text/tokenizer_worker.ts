/**
 * The worker thread of a tokenizer; see tokenizer_main.ts.
 *
 * @module
 */
import { InputError } from "../util/errors.ts";
import { loadTokenizer, type TextTokenizer } from "./tokenizer.ts";
import type { TokenizerAnswer, TokenizerRequest } from "./tokenizer_process.ts";

let tokenizer: TextTokenizer;

async function answer(request: TokenizerRequest): Promise<TokenizerAnswer> {
  try {
    if ("text" in request) return { ids: tokenizer.encode(request.text) };
    tokenizer = await loadTokenizer(request.folder);
    return { ids: tokenizer.prefix };
  } catch (error) {
    if (error instanceof InputError) return { error: error.message, mistake: true };
    // An error of the library about the contents of tokenizer.json: the user's file is wrong.
    return { error: `Cannot tokenize: ${error instanceof Error ? error.message : error}`, mistake: true };
  }
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<TokenizerRequest>) => void;
  postMessage(answer: TokenizerAnswer): void;
};
let last: Promise<void> = Promise.resolve();
scope.onmessage = ({ data }) => {
  last = last.then(async () => scope.postMessage(await answer(data)));
};
