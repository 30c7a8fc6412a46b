import type { Draft } from "../drafts/draft.ts";
import { distributionOf, draw, type Sampling } from "./distribution.ts";
import type { Gamma, Round } from "./gamma.ts";
import { acceptGreedy, acceptSampled, type Outcome } from "./rule.ts";
import type { Target, Verified } from "./target.ts";

/** What is decoded, and how. */
export interface DecodeOptions {
  /** Has read all of the text but its last token. */
  readonly target: Target;
  readonly draft: Draft;
  readonly gamma: Gamma;
  /** The prompt and the first token after it. */
  readonly text: readonly number[];
  /** Tokens to write after these, at least; a round is not cut off. */
  readonly newTokens: number;
  /** How tokens are chosen; undefined for the most likely one. */
  readonly sampling?: Sampling | undefined;
  /** Returns the next number, 0 <= x < 1; used if tokens are sampled. */
  readonly random: () => number;
  /** Told of the logits after each token of the text, in order; needs a target with logits. */
  readonly onLogits?: (logits: Float32Array) => void;
}

/** A text, and how it was made. */
export interface Decoded {
  /** Tokens after the given text. */
  readonly tokens: readonly number[];
  readonly rounds: readonly Round[];
}

/**
 * Decodes speculatively: a draft proposes tokens, the target reads them all in one pass, and those are kept that it
 * would have chosen, and one of its own. Greedy text is that of plain decoding, token for token; sampled text has its
 * distribution.
 *
 * @example
 * ```ts
 * import { NgramDraft } from "../drafts/ngram_draft.ts";
 * import { decode } from "./decode.ts";
 * import { fixedGamma } from "./gamma.ts";
 *
 * // A model that counts to three, again and again.
 * const target = {
 *   verify: (tokens: readonly number[]) => ({
 *     predicted: tokens.map((token) => (token + 1) % 3),
 *     logits: () => new Float32Array(),
 *   }),
 *   keep: () => {},
 * };
 * const { tokens } = decode({
 *   target,
 *   draft: new NgramDraft(),
 *   gamma: fixedGamma(4),
 *   text: [0, 1, 2, 0],
 *   newTokens: 5,
 *   random: Math.random,
 * });
 * console.log(tokens.slice(0, 5)); // [ 1, 2, 0, 1, 2 ]
 * ```
 *
 * @param options What to decode. The draft and the target have read all of the text except its last token.
 * @returns The text and its rounds.
 */
export function decode(options: DecodeOptions): Decoded {
  const { target, draft, gamma, newTokens, onLogits } = options;
  const text = [...options.text];
  const wanted = text.length + newTokens;
  const rounds: Round[] = [];
  while (text.length < wanted) {
    const began = performance.now();
    const asked = gamma.choose();
    const { tokens, distributions } = asked === 0 ? NOTHING : draft.propose(text, asked);
    const drafted = performance.now();
    const verified = target.verify([text.at(-1)!, ...tokens]);
    const checked = performance.now();
    const { accepted, next } = decide(tokens, distributions, verified, options);
    if (onLogits) { for (let row = 0; row <= accepted; row++) onLogits(verified.logits(row)); }
    target.keep(1 + accepted);
    if (asked > 0) draft.settle(accepted);
    text.push(...tokens.slice(0, accepted), next);
    const round = {
      asked,
      drafted: tokens.length,
      accepted,
      draft_s: (drafted - began) / 1000,
      verify_s: (checked - drafted) / 1000,
      total_s: (performance.now() - began) / 1000,
    };
    rounds.push(round);
    gamma.learn(round);
  }
  return { tokens: text.slice(options.text.length), rounds };
}

const NOTHING = { tokens: [], distributions: [] } as const;

function decide(
  tokens: readonly number[],
  distributions: readonly (Float64Array | undefined)[],
  { predicted, logits }: Verified,
  { sampling, random }: DecodeOptions,
): Outcome {
  if (!sampling) return acceptGreedy(tokens, predicted);
  return acceptSampled(tokens, distributions, (row) => distributionOf(logits(row), sampling), random);
}

/**
 * Returns the first token after a prompt, as plain decoding chooses it.
 *
 * @example
 * ```ts
 * import { firstToken } from "./decode.ts";
 *
 * console.log(firstToken({ first: 7, firstLogits: undefined }, undefined, Math.random)); // 7
 * ```
 *
 * @param first The most likely token and, if tokens are sampled, the logits.
 * @param sampling How tokens are chosen; undefined for the most likely one.
 * @param random Returns the next number, 0 <= x < 1.
 */
export function firstToken(
  { first, firstLogits }: { readonly first: number; readonly firstLogits: Float32Array | undefined },
  sampling: Sampling | undefined,
  random: () => number,
): number {
  return sampling ? draw(distributionOf(firstLogits!, sampling), random()) : first;
}
