import type { Metadata } from "./metadata.ts";

/** llama.cpp's kinds of tokens. */
export const KIND = { unknown: 2, control: 3, user: 4, byte: 6 } as const;

/** Tokens of a GGUF file. */
export interface GgufTokens {
  readonly metadata: Metadata;
  /** Id → text. */
  readonly texts: readonly string[];
  /** Id → {@linkcode KIND}. */
  readonly kinds: Float64Array;
}
