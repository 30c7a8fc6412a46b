import type { Environment } from "./types.ts";
import type { Interval } from "./spread_types.ts";

/** The schema of a speculative run's results.json. */
export const SPECULATIVE_SCHEMA = "speculative 1";

/** Content of results.json of `deno task speculative`. Times in s, memory in bytes. */
export interface SpeculativeResults {
  readonly schema: typeof SPECULATIVE_SCHEMA;
  readonly config: SpeculativeConfig;
  readonly environment: Environment;
  /** Every text that was written, in the order in which it was. */
  readonly runs: SpeculativeRun[];
  /** One for each draft, gamma and length, after plain decoding at each length. */
  rows: SpeculativeRow[];
  /** One for each draft. */
  break_even: DraftBreakEven[];
  readonly failures: { readonly name: string; readonly reason: string }[];
}

/** The terms of a run. */
export interface SpeculativeConfig {
  readonly model_id: string;
  readonly timestamp: string;
  readonly device: "cuda" | "cpu";
  readonly dtype: string;
  readonly attention: string;
  readonly dataset: string;
  readonly workload: string;
  readonly drafts: readonly string[];
  readonly gammas: readonly (number | "auto")[];
  readonly lengths: readonly number[];
  readonly max_new_tokens: number;
  readonly num_warmup: number;
  readonly num_samples: number;
  readonly repetitions: number;
  /** 0 for greedy decoding. */
  readonly temperature: number;
  readonly top_p: number;
  readonly seed: number;
  /** How drafts are verified. */
  readonly verification: "rows" | "steps" | "pass";
  /** Whether a verification has the bits of steps. */
  readonly bit_equal: boolean;
  /** Why drafts are not verified in one pass that has the bits of steps. */
  readonly verification_reason?: string;
}

/** A text that was written. */
export interface SpeculativeRun {
  /** "plain", or the draft and its gamma, as in `ngram gamma 4`. */
  readonly name: string;
  readonly draft: string | null;
  readonly gamma: number | "auto" | null;
  readonly round: number;
  readonly place: number;
  readonly sample: number;
  /** Tokens of the prompt. */
  readonly length: number;
  /** Tokens after the prompt, those of the warm-up included. */
  readonly tokens: readonly number[];
  readonly ttft_s: number;
  /** Mean time of a token after the warm-up. */
  readonly tpot_s: number;
  /** Of plain decoding: time of each token. */
  readonly step_s?: readonly number[];
  /** Of a draft: a number for each round in each list. */
  readonly rounds?: RoundLists;
  /** Passes of the draft's model. */
  readonly draft_steps?: number;
  /** Passes of the target after the prompt, by number of tokens. */
  readonly passes?: Readonly<Record<string, number>>;
  /** Bytes of the target's cache, and what the draft takes in addition. */
  readonly memory: { readonly cache: number; readonly draft?: DraftBytes };
}

/** Memory of a draft, bytes. */
export interface DraftBytes {
  readonly kind: string;
  readonly cache_bytes: number;
  readonly weight_bytes: number;
}

/** Rounds of a text. */
export interface RoundLists {
  readonly asked: readonly number[];
  readonly drafted: readonly number[];
  readonly accepted: readonly number[];
  readonly draft_s: readonly number[];
  readonly verify_s: readonly number[];
  readonly total_s: readonly number[];
}

/** Figures of a draft, a gamma and a length; or of plain decoding at a length. */
export interface SpeculativeRow {
  readonly name: string;
  readonly draft: string | null;
  readonly gamma: number | "auto" | null;
  readonly length: number;
  /** Median over the runs. */
  readonly tpot_s: number;
  /** Time of plain decoding over its own, in the same rounds; null for plain decoding itself. */
  readonly speedup: Interval | null;
  readonly draft_figures: DraftFigures | null;
  readonly memory: SpeculativeRun["memory"];
}

/** What a draft is worth. */
export interface DraftFigures {
  /** Tokens of a round: the accepted ones, and the target's own. */
  readonly tokens_per_verification: number;
  /** Accepted tokens over drafted ones. */
  readonly acceptance: number;
  /** By position: of the rounds that came to it, those that kept its token. */
  readonly acceptance_by_position: readonly number[];
  /** Shares of the time. */
  readonly draft_share: number;
  readonly verify_share: number;
  readonly host_share: number;
  /** Plain time x tokens per verification / (draft + verification): what the speed-up would be without the host. */
  readonly predicted_speedup: number;
  /** Whether every text is that of plain decoding, token for token; null if tokens are sampled. */
  readonly equals_plain: boolean | null;
}

/** Length from which on a draft is faster than plain decoding; null if it is not among those measured. */
export interface DraftBreakEven {
  readonly draft: string;
  readonly length: number | null;
  /** The earliest and the latest that the intervals allow. */
  readonly earliest: number | null;
  readonly latest: number | null;
  /** The longest length measured. */
  readonly within: number;
}
