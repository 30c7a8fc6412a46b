/**
 * What a comparison of two sets of results says. This is the shape of `deno task compare A B -o json`.
 *
 * @module
 */
import type { CellTerms } from "../cell_terms.ts";
import type { Effect } from "./statistics/effect.ts";

/** "same" needs an interval within the smallest change that matters; what is neither shown nor excluded is "unknown". */
export type Verdict = "worse" | "better" | "same" | "unknown";

/** What is compared. Of all of them less is better. */
export type MetricName = "status" | "perplexity" | "kl" | "tpot" | "ttft" | "kv_bytes" | "vram";

/** The smallest changes that matter, as shares: 0.03 is 3 %. */
export interface CompareOptions {
  /** Of times. */
  min_time: number;
  /** Of perplexity; of KL divergence the same in nats. */
  min_quality: number;
  /** Of GPU memory. */
  min_memory: number;
  /** How much a machine's times change from run to run: the standard deviation, of times without a baseline. */
  drift: number;
}

/** One metric of a cell on both sides. */
export interface MetricComparison {
  /** Its name. */
  metric: MetricName;
  /** The figure on the first side: s, nats, bytes, or a ratio; null if there is none. */
  a: number | null;
  /** On the second. */
  b: number | null;
  /** Whether the figures and the change are of times over the baseline's in the same round. */
  is_ratio: boolean;
  /** The change: of logarithms, of KL in nats; over 0 is worse. Null if none can be told. */
  effect: Effect | null;
  /** `effect.p` adjusted for all cells and metrics (Holm). */
  p_adjusted: number | null;
  /** What follows. */
  verdict: Verdict;
  /** Why, in a few words; left out if the figures say it. */
  reason?: string;
}

/** A cell on both sides. */
export interface CellComparison {
  /** The cell's key over time. */
  key: string;
  /** What is measured. */
  terms: CellTerms;
  /** The runs' files, commits, hosts and hardware. */
  a: SideOfCell;
  b: SideOfCell;
  /** What a reader must know, one sentence each. */
  notes: string[];
  /**
   * False if likelihoods differ though build, model, text and hardware are the same; null if they may differ, or there
   * are none.
   */
  is_reproducible: boolean | null;
  /** Its metrics. */
  metrics: MetricComparison[];
}

/** Where a side's figures are from. */
export interface SideOfCell {
  files: string[];
  commit: string | null;
  code_sha256: string | null;
  host: string | null;
  hardware: string;
  timestamp: string;
}

/** The whole comparison. */
export interface ComparisonOfSets {
  options: CompareOptions;
  /** Cells of both sides. */
  cells: CellComparison[];
  /** Cells of one side alone: names and keys. */
  only_a: CellName[];
  only_b: CellName[];
  /** How many metrics have each verdict. */
  summary: Record<Verdict, number> & { not_reproducible: number };
}

/** A cell by its name. */
export interface CellName {
  key: string;
  terms: CellTerms;
  hardware: string;
}
