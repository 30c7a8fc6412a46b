import type { EngineOptions } from "../../engine/engine_options.ts";
import type { KernelsUsed } from "../../engine/kernel_choice.ts";
import type { KernelChoice } from "../../engine/kernel_choice.ts";
import type { SpeculativeRun } from "../../report/results/speculative_types.ts";
import type { Sampling } from "../decode/distribution.ts";
import type { DraftSpec } from "../plan/draft_spec.ts";
import type { GammaChoice, Verification } from "./speculator.ts";

/** A request to a process: write texts plainly, or with one draft and gamma. */
export interface SpeculativeRequest extends Pick<EngineOptions, "dtype" | "attention" | "maxPositions"> {
  readonly type: "speculate";
  /** The model's folder. */
  readonly model: string;
  readonly device: "cuda" | "cpu";
  readonly kernels: KernelChoice;
  readonly verification: Verification;
  /** Undefined for plain decoding. */
  readonly draft?: { readonly spec: DraftSpec; readonly gamma: GammaChoice };
  readonly sampling?: Sampling | undefined;
  /** Entries that there is room for beyond a text: the same in all processes of a run. */
  readonly room: number;
  readonly texts: readonly { readonly sample: number; readonly prompt: readonly number[] }[];
  readonly warmup: number;
  readonly newTokens: number;
  readonly seed: number;
}

/** What a process knows of a text that it wrote. */
export type WrittenText = Omit<SpeculativeRun, "name" | "draft" | "gamma" | "round" | "place">;

/** An event of the process, one JSON document per line on its standard output. */
export type SpeculativeEvent =
  /** The process waits until it is saved. */
  | { readonly type: "sample"; readonly text: WrittenText }
  | ({ readonly type: "kernels" } & KernelsUsed);
