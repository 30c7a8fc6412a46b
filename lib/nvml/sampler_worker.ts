/**
 * The thread that samples for `VramSampler`. It sleeps between samples by Atomics.wait and never returns to its event
 * loop until it is stopped.
 *
 * @module
 */
import { ConditionBoard } from "./condition_board.ts";
import { Nvml } from "./nvml.ts";
import { SampleBoard } from "./sample_board.ts";
import type { NvmlDevice } from "./device.ts";

/** What the thread needs to start. */
export interface SamplerOrders {
  /** The board's memory. */
  readonly board: SharedArrayBuffer;
  /** The memory of the board for what the GPU does. */
  readonly conditions: SharedArrayBuffer;
  /** NVML's library, as the other thread opened it. */
  readonly libraryPath: string;
  /** The GPU. */
  readonly uuid: string;
  /** The process to look for. */
  readonly pid: number;
  /** Shortest time between samples, ms. */
  readonly intervalMs: number;
}

/** Its messages: it is running, it failed and why, it ended. */
export type SamplerNews = { state: "running" } | { state: "failed"; reason: string } | { state: "ended" };

/** Sampling memory takes at most this share of one core; slower calls make longer pauses. */
const SHARE = 0.007;
/** Longest pause, ms, so that a short peak is not missed. */
const LONGEST_MS = 20;
/** The same share for what the GPU does, whose calls can take milliseconds. Both together stay below 1 %. */
const CONDITIONS_SHARE = 0.003;
/** Shortest time between two samples of what the GPU does, ms. */
const CONDITIONS_MS = 50;
/** Longest, ms: a sample may be slow by chance. */
const CONDITIONS_LONGEST_MS = 1000;

/** Samples until the board says stop. Exported for the test of its cost. */
export function sample(
  device: NvmlDevice,
  board: SampleBoard,
  conditions: ConditionBoard,
  pid: number,
  intervalMs: number,
): void {
  let usual = 0; // ms per sample, smoothed: a thread that was moved off its core for a moment must not count
  let last = 0;
  const sampleConditions = conditionSampler(device, conditions, pid);
  do {
    const epochs = board.epochs();
    const start = performance.now();
    const process = device.processBytes(pid);
    // Once NVML reports this process's own figure, the device's is not needed
    board.add({ process, device: process === null ? device.memory().used : 0 }, epochs, last * 1000);
    last = performance.now() - start;
    usual = usual === 0 ? last : usual + 0.05 * (Math.min(last, 10 * usual) - usual);
    last += sampleConditions();
  } while (board.sleep(Math.min(LONGEST_MS, Math.max(intervalMs, usual / SHARE - usual))));
}

/** Returns a function that samples what the GPU does if it is asked for and due, and returns the time it took, ms. */
function conditionSampler(device: NvmlDevice, board: ConditionBoard, pid: number): () => number {
  let due = 0;
  let last: number | null = null;
  return () => {
    const { span } = board;
    const start = performance.now();
    // A new span gets a sample at once: it may be short.
    if (span === null || span === last && start < due) return 0;
    last = span;
    board.add(device.conditions(pid), span);
    const took = performance.now() - start;
    due = start + Math.min(CONDITIONS_LONGEST_MS, Math.max(CONDITIONS_MS, took / CONDITIONS_SHARE));
    return took;
  };
}

// Only in a worker: a test imports `sample` from the main thread.
const scope = globalThis as unknown as {
  postMessage?: (news: SamplerNews) => void;
  onmessage?: (event: MessageEvent<SamplerOrders>) => void;
  close?: () => void;
};
if (typeof WorkerGlobalScope !== "undefined") {
  scope.onmessage = ({ data }) => {
    const board = new SampleBoard(data.board);
    let news: SamplerNews = { state: "ended" };
    try {
      using nvml = new Nvml(data.libraryPath);
      const device = nvml.deviceByUuid(data.uuid);
      device.processBytes(data.pid); // fails here, before anyone relies on it
      scope.postMessage!({ state: "running" });
      sample(device, board, new ConditionBoard(data.conditions), data.pid, data.intervalMs);
    } catch (error) {
      board.fail();
      news = { state: "failed", reason: error instanceof Error ? error.message : String(error) };
    }
    scope.postMessage!(news);
    scope.close!();
  };
}

declare const WorkerGlobalScope: unknown;
