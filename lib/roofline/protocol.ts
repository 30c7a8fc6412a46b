import type { KeepTable } from "../cache/schedule.ts";
import type { FloatType } from "../util/dtype.ts";
import type { AttentionForm } from "../model/graph/attention/attention_form.ts";
import type { AttentionUse } from "../policies/policy.ts";
import type { Score } from "../policies/score.ts";
import type { GpuInfo } from "../report/results/types.ts";
import type { KernelChoice, KernelsUsed } from "../engine/kernel_choice.ts";
import type { LoadTimes } from "../engine/load_times.ts";

/** A request to a process: one JSON document on its standard input. */
export type RooflineRequest = BandwidthRequest | RowsRequest | StartRequest;

/** Measure how fast memory is read. */
export interface BandwidthRequest {
  readonly type: "bandwidth";
  readonly device: "cuda" | "cpu";
  /** Bytes of the buffer; undefined for a size that suits the device. */
  readonly bytes?: number | undefined;
}

/** Measure one method, in one form of attention, at some lengths. */
export interface RowsRequest {
  readonly type: "rows";
  /** The model's folder. */
  readonly model: string;
  readonly device: "cuda" | "cpu";
  readonly dtype: FloatType;
  readonly attention: AttentionForm;
  readonly kernels: KernelChoice;
  readonly score?: Score;
  readonly attentionUse?: AttentionUse;
  /** Sizes of the policy over all rows: one loaded model serves them. */
  readonly table: KeepTable;
  /** Rows in ascending order, so that a peak of memory belongs to its row and not to an earlier one. */
  readonly rows: readonly RowRequest[];
  readonly lengths: Lengths;
}

/** One row. */
export interface RowRequest {
  /** Entries held by a layer, or the method's budget. */
  readonly length: number;
  /** Tokens of the prompt that fills the cache; 0 for none: then the cache holds zeros. */
  readonly fill: number;
  /** Whether nothing is ever evicted: each step's entry is given back, so that all steps are at this length. */
  readonly rewind: boolean;
  /** Number of prompts of `length` tokens to time. */
  readonly prefills: number;
}

/** Measure the time from the start of the process to the first token. */
export interface StartRequest
  extends Pick<RowsRequest, "model" | "device" | "dtype" | "attention" | "kernels" | "table"> {
  readonly type: "start";
  readonly promptTokens: number;
  /** When the process was started, ms since 1970. */
  readonly started: number;
}

/** Time to the first token and its parts, s. */
export interface StartFigures {
  readonly prompt_tokens: number;
  /** From the start of the process until the first token is on the host. */
  readonly first_token_s: number;
  /** The parts that add up to it. */
  readonly parts: Omit<LoadTimes, "reading_s"> & {
    /** Until the process's own code runs. */
    readonly process_s: number;
    /** Reading the model's config and headers. */
    readonly folder_s: number;
    /** Opening ONNX Runtime and the device. */
    readonly library_s: number;
    /** Making the policy's sessions. */
    readonly policy_s: number;
    /** Running the first prompt, with allocation for its sequence. */
    readonly prompt_s: number;
  };
  /** Reading the weights, in parallel with other parts; 0 if ONNX Runtime reads them. */
  readonly reading_s: number;
  /** Each later time of reading the files once from beginning to end. */
  readonly read_s: readonly number[];
  readonly file_bytes: number;
}

/** How much to measure in each row. */
export interface Lengths {
  /** Steps before the clock starts. */
  readonly warmup: number;
  /** Steps timed one by one. */
  readonly steps: number;
  /** Number of batches of `queued` steps that are queued without waiting for a token, on CUDA. */
  readonly batches: number;
  readonly queued: number;
}

/** An event of a process, one JSON document per line on its standard output. */
export type RooflineEvent =
  | { readonly type: "bandwidth"; readonly bandwidth: Bandwidth; readonly gpu: GpuInfo | null }
  | { readonly type: "start"; readonly start: StartFigures }
  | { readonly type: "row"; readonly row: RawRow }
  | { readonly type: "row_failed"; readonly length: number; readonly reason: string };

/** How fast memory is read: the median of the best way to read. */
export interface Bandwidth {
  /** Bytes per second. */
  readonly bytes_per_s: number;
  /** Name of the way among `ways`. */
  readonly method: string;
  /** Bytes of the buffer. */
  readonly buffer_bytes: number;
  readonly ways: readonly {
    readonly method: string;
    /** Bytes per second of each round. */
    readonly rounds: readonly number[];
    /** Why this way has no rounds. */
    readonly failed?: string;
  }[];
}

/** One measured row. Times in s, memory in bytes. */
export interface RawRow extends KernelsUsed {
  readonly length: number;
  /** Time of each step, from the token before it on the host to its own. */
  readonly step_s: readonly number[];
  /** Part of that time until all work of the step was queued. */
  readonly queue_s: readonly number[];
  /** Part of that time within ONNX Runtime's Run: on a CPU the work itself. */
  readonly run_s: readonly number[];
  /** Time of a step if steps are queued without waiting, one figure for each batch; empty on a CPU. */
  readonly queued_step_s: readonly number[];
  /** Times of prefills of `length` tokens until the first token is on the host. */
  readonly ttft_s: readonly number[];
  /** Bytes of the entries held before a step, mean over the timed steps. */
  readonly kv_held: number;
  /** Bytes of those that a step must read: in a layer with a sliding window only those within it. */
  readonly kv_read: number;
  /** Bytes allocated for keys and values. */
  readonly kv_allocated: number;
  /** Entries evicted or moved in the timed steps. */
  readonly entries_copied: number;
  /** Null on a CPU, or without NVML. */
  readonly vram: {
    /** Memory of this process before the model was loaded. */
    readonly before: number;
    /**
     * Peak of the process in this row, over that. It includes what earlier rows of the process left in ONNX Runtime's
     * arena.
     */
    readonly peak: number;
    /** Most in use of ONNX Runtime's allocator so far. */
    readonly allocator_peak: number;
    /** Allocated outside of it now: cache, inputs. */
    readonly allocated: number;
  } | null;
}
