import { type GpuConditions, type GpuMoment, summarizeMoments } from "./conditions.ts";

/** Figures of a moment, in the order in which the board holds them. */
const FIGURES = [
  "sm_mhz",
  "memory_mhz",
  "power_mw",
  "temperature_c",
  "reasons",
  "other_processes",
] as const satisfies readonly (keyof GpuMoment)[];

/** Words of a moment: the time span it belongs to, and its figures. */
const WORDS = 1 + FIGURES.length;
/** Moments that the board holds: the last 14 minutes at one each 50 ms. */
const PLACES = 2 ** 14;
/** Stands for a figure that is null; none is negative. */
const NONE = -1;
/** Places of the counters before the moments: the time span, odd while one is open, and the moments written so far. */
const SPAN = 0, WRITTEN = 1, COUNTERS = 2;

/**
 * Shared memory between the thread that samples what a GPU does and the one that asks: a ring of moments. Only the
 * sampling thread writes moments. Each carries the number of the time span in which its sampling began, so that one
 * taken across an end counts for neither side.
 *
 * @example
 * ```ts
 * import { ConditionBoard } from "./condition_board.ts";
 *
 * const board = new ConditionBoard();
 * const moment = { sm_mhz: 1980, memory_mhz: 2619, power_mw: 90_000, temperature_c: 40, reasons: 1, other_processes: 0 };
 * board.begin();
 * board.add(moment, board.span!);
 * console.log(board.end().power_w); // { mean: 90, max: 90 }
 * console.log(board.span); // null
 * ```
 */
export class ConditionBoard {
  /** The memory, to be posted to a worker. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;

  /** Makes a board, or opens the one another thread made. */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer((COUNTERS + PLACES * WORDS) * 4)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  /** Opens a time span; one that is open is dropped. */
  begin(): void {
    Atomics.add(this.#words, SPAN, this.span === null ? 1 : 2);
  }

  /** Closes the time span, and summarizes the moments in it: of a very long one, the last. */
  end(): GpuConditions {
    const span = this.span;
    if (span === null) return summarizeMoments([]);
    Atomics.add(this.#words, SPAN, 1);
    const written = Atomics.load(this.#words, WRITTEN);
    const moments: GpuMoment[] = [];
    // A moment that is being written now takes the place of the oldest.
    for (let back = 1; back < Math.min(written + 1, PLACES); back++) {
      const at = placeOf(written - back);
      if (Atomics.load(this.#words, at) !== span) break;
      moments.push(this.#read(at));
    }
    return summarizeMoments(moments);
  }

  /** Number of the open time span; null if none is open. Read it before a sample, and pass it to {@linkcode add}. */
  get span(): number | null {
    const span = Atomics.load(this.#words, SPAN);
    return (span & 1) === 1 ? span : null;
  }

  /** Records a moment for a time span; if that has ended, it never counts. Called by the sampling thread alone. */
  add(moment: GpuMoment, span: number): void {
    const written = Atomics.load(this.#words, WRITTEN);
    const at = placeOf(written);
    Atomics.store(this.#words, at, span);
    for (const [i, figure] of FIGURES.entries()) Atomics.store(this.#words, at + 1 + i, moment[figure] ?? NONE);
    Atomics.store(this.#words, WRITTEN, written + 1);
  }

  #read(at: number): GpuMoment {
    const of = (figure: typeof FIGURES[number]) => {
      const value = Atomics.load(this.#words, at + 1 + FIGURES.indexOf(figure));
      return value === NONE ? null : value;
    };
    return Object.fromEntries(FIGURES.map((figure) => [figure, of(figure)])) as Record<keyof GpuMoment, number | null>;
  }
}

/** Place of the nth moment's first word. */
function placeOf(moment: number): number {
  return COUNTERS + (moment % PLACES) * WORDS;
}
