/**
 * The thread that samples for `VramSampler`. It sleeps between samples by Atomics.wait and never returns to its event
 * loop until it is stopped.
 *
 * @module
 */
import { Nvml } from "./nvml.ts";
import { SampleBoard } from "./sample_board.ts";
import type { NvmlDevice } from "./device.ts";

/** What the thread needs to start. */
export interface SamplerOrders {
  /** The board's memory. */
  readonly board: SharedArrayBuffer;
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

/** Sampling takes at most this share of one core; slower calls make longer pauses. */
const SHARE = 0.01;
/** Longest pause, ms, so that a short peak is not missed. */
const LONGEST_MS = 20;

/** Samples until the board says stop. Exported for the test of its cost. */
export function sample(device: NvmlDevice, board: SampleBoard, pid: number, intervalMs: number): void {
  let usual = 0; // ms per sample, smoothed: a thread that was moved off its core for a moment must not count
  let last = 0;
  do {
    const epochs = board.epochs();
    const start = performance.now();
    const process = device.processBytes(pid);
    // Once NVML reports this process's own figure, the device's is not needed
    board.add({ process, device: process === null ? device.memory().used : 0 }, epochs, last * 1000);
    last = performance.now() - start;
    usual = usual === 0 ? last : usual + 0.05 * (Math.min(last, 10 * usual) - usual);
  } while (board.sleep(Math.min(LONGEST_MS, Math.max(intervalMs, usual / SHARE - usual))));
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
      sample(device, board, data.pid, data.intervalMs);
    } catch (error) {
      board.fail();
      news = { state: "failed", reason: error instanceof Error ? error.message : String(error) };
    }
    scope.postMessage!(news);
    scope.close!();
  };
}

declare const WorkerGlobalScope: unknown;
