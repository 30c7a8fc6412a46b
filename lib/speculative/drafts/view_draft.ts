import type { Pass } from "../../engine/pass.ts";
import type { Sequence } from "../../engine/sequence.ts";
import type { ViewModel } from "../../engine/view_model.ts";
import type { Chooser } from "./chooser.ts";
import type { Draft, DraftMemory, Proposal } from "./draft.ts";

/**
 * Drafts with the target's own weights, on a view of its cache: the first entries and the last ones, where they lie.
 * Steps write their entries after the target's; all of them are taken back before the target verifies, which writes its
 * own.
 */
export class ViewDraft implements Draft {
  readonly memory: DraftMemory = { kind: "view", cache_bytes: 0, weight_bytes: 0 };
  readonly #pass: Pass;
  #steps = 0;

  /**
   * @param sequence The target's.
   * @param model Sees a part of its cache; dispose of it after the sequence.
   * @param chooser How tokens are chosen.
   */
  constructor(readonly sequence: Sequence, model: ViewModel, readonly chooser: Chooser) {
    this.#pass = sequence.addPass(model, 1);
  }

  get steps(): number {
    return this.#steps;
  }

  propose(text: readonly number[], count: number, forced?: readonly number[]): Proposal {
    const { sequence, chooser } = this;
    const tokens: number[] = [];
    const distributions: (Float64Array | undefined)[] = [];
    let id = text.at(-1)!;
    let read = 0;
    while (tokens.length < count) {
      sequence.run(this.#pass, [id]);
      const { argmax } = sequence.read();
      sequence.evict();
      read++;
      const own = chooser.choose({ argmax, logits: () => sequence.logits() });
      const token = forced?.[tokens.length] ?? own?.token;
      if (token === undefined) break;
      tokens.push(token);
      distributions.push(own?.distribution);
      id = token;
    }
    this.#steps += read;
    sequence.rewind(read);
    return { tokens, distributions };
  }

  settle(): void {}

  [Symbol.dispose](): void {}
}
