import { isDeepStrictEqual } from "node:util";
import type { ModelFolder } from "../../model/folder/model_folder.ts";
import { InputError } from "../../util/errors.ts";

/** The parts of a tokenizer.json that say which token an id is. */
interface Vocabulary {
  readonly model?: { readonly vocab?: unknown };
  readonly added_tokens?: readonly { readonly id?: unknown; readonly content?: unknown }[];
}

/**
 * Checks that a model can draft for another: every id is the same token. The number of embeddings may differ, since
 * models pad it.
 *
 * @param target The model that verifies.
 * @param draft The model that drafts.
 * @throws {InputError} If the vocabularies differ, or a tokenizer cannot be read.
 */
export async function checkSameVocabulary(target: ModelFolder, draft: ModelFolder): Promise<void> {
  const [own, others] = await Promise.all([target, draft].map(read));
  if (isDeepStrictEqual(own, others)) return;
  throw new InputError(
    `Cannot draft with ${draft.path}: its tokenizer.json has other tokens than that of ${target.path}; ` +
      "give a model of the same family",
  );
}

async function read({ path }: ModelFolder): Promise<unknown> {
  try {
    const { model, added_tokens = [] }: Vocabulary = JSON.parse(await Deno.readTextFile(`${path}/tokenizer.json`));
    return [model?.vocab, added_tokens.map(({ id, content }) => [id, content])];
  } catch (cause) {
    throw new InputError(`Cannot compare vocabularies: ${path}/tokenizer.json: ${(cause as Error).message}`, { cause });
  }
}
