import type { KeepTable } from "../cache/schedule.ts";
import type { FloatType } from "../util/dtype.ts";
import type { AttentionForm } from "../model/graph/attention/attention_form.ts";
import type { AttentionUse } from "../policies/policy.ts";
import type { Score } from "../policies/score.ts";
import type { GpuInfo } from "../report/results/types.ts";
import type { KernelChoice, KernelsUsed } from "../engine/kernel_choice.ts";
import type { LoadTimes } from "../engine/load_times.ts";

/** What the parent asks of a process: one JSON document on its standard input. */
export type RooflineRequest = BandwidthRequest | RowsRequest | StartRequest;

/** Measure how fast memory is read. */
export interface BandwidthRequest {
  readonly type: "bandwidth";
  readonly device: "cuda" | "cpu";
  /** Bytes of the buffer; undefined for as many as suit the device. */
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
  /** What the policy keeps, over all of the rows: one loaded model serves them. */
  readonly table: KeepTable;
  /** In ascending order, so that a peak of memory is that of the row and not of one before it. */
  readonly rows: readonly RowRequest[];
  readonly lengths: Lengths;
}

/** One row. */
export interface RowRequest {
  /** Entries that a layer holds, or that the method's budget is. */
  readonly length: number;
  /** Tokens of the prompt that fills the cache; 0: nothing does, and it holds zeros. */
  readonly fill: number;
  /** Never evicts: each step is given back, so that all of them are at this length. */
  readonly rewind: boolean;
  /** Prompts of `length` tokens to time. */
  readonly prefills: number;
}

/** Measure how long it takes to the first token, from the start of the process on. */
export interface StartRequest
  extends Pick<RowsRequest, "model" | "device" | "dtype" | "attention" | "kernels" | "table"> {
  readonly type: "start";
  readonly promptTokens: number;
  /** When the process was started, ms since 1970. */
  readonly started: number;
}

/** How long it takes to the first token, s. */
export interface StartFigures {
  readonly prompt_tokens: number;
  /** From the start of the process until the first token is on the host. */
  readonly first_token_s: number;
  /** What it is the sum of. */
  readonly parts: Omit<LoadTimes, "reading_s"> & {
    /** Until the process's own code runs. */
    readonly process_s: number;
    /** The model's config and headers read. */
    readonly folder_s: number;
    /** ONNX Runtime and the device opened. */
    readonly library_s: number;
    /** The policy's sessions made. */
    readonly policy_s: number;
    /** The first prompt, its sequence's memory allocated. */
    readonly prompt_s: number;
  };
  /** Reading the weights, beside other parts; 0 where ONNX Runtime does it. */
  readonly reading_s: number;
  /** Reading their files once from beginning to end, afterwards, each time. */
  readonly read_s: readonly number[];
  readonly file_bytes: number;
}

/** How much is measured in each row. */
export interface Lengths {
  /** Steps before the clock starts. */
  readonly warmup: number;
  /** Steps that are timed one by one. */
  readonly steps: number;
  /** Runs of `queued` steps that are queued without waiting for a token, on CUDA. */
  readonly batches: number;
  readonly queued: number;
}

/** What a process says, one JSON document per line on its standard output. */
export type RooflineEvent =
  | { readonly type: "bandwidth"; readonly bandwidth: Bandwidth; readonly gpu: GpuInfo | null }
  | { readonly type: "start"; readonly start: StartFigures }
  | { readonly type: "row"; readonly row: RawRow }
  | { readonly type: "row_failed"; readonly length: number; readonly reason: string };

/** How fast memory is read: the median of the best way to read that there was. */
export interface Bandwidth {
  /** Bytes per second. */
  readonly bytes_per_s: number;
  /** Which of `ways` it is. */
  readonly method: string;
  /** Bytes of the buffer. */
  readonly buffer_bytes: number;
  readonly ways: readonly {
    readonly method: string;
    /** Bytes per second of each round. */
    readonly rounds: readonly number[];
    /** Why there are none. */
    readonly failed?: string;
  }[];
}

/** One row as measured. Times in s, memory in bytes. */
export interface RawRow extends KernelsUsed {
  readonly length: number;
  /** Each step from the token before it on the host to its own. */
  readonly step_s: readonly number[];
  /** Of that, until all of its work was queued. */
  readonly queue_s: readonly number[];
  /** Of that, within ONNX Runtime's Run: on a CPU the work itself. */
  readonly run_s: readonly number[];
  /** A step's time where steps are queued without waiting, one figure for each batch; empty on a CPU. */
  readonly queued_step_s: readonly number[];
  /** Prefills of `length` tokens until the first token is on the host. */
  readonly ttft_s: readonly number[];
  /** Bytes of the entries held before a step, mean over the timed steps. */
  readonly kv_held: number;
  /** Of these what a step must read: in a layer with a sliding window no more than that. */
  readonly kv_read: number;
  /** Bytes allocated for keys and values. */
  readonly kv_allocated: number;
  /** Entries evicted or moved in the timed steps. */
  readonly entries_copied: number;
  /** Null on a CPU, or without NVML. */
  readonly vram: {
    /** This process before the model was loaded. */
    readonly before: number;
    /** Its peak in this row, over that. What earlier rows of the process left to ONNX Runtime's arena is in it. */
    readonly peak: number;
    /** ONNX Runtime's allocator: most in use so far. */
    readonly allocator_peak: number;
    /** Allocated outside of it now: cache, inputs. */
    readonly allocated: number;
  } | null;
}
