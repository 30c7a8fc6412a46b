/** Where the time of loading went, s. */
export interface LoadTimes {
  /** Allocating the weights' block and starting to read. */
  readonly block_s: number;
  /** Loading our own kernels. */
  readonly kernels_s: number;
  /** Writing graphs and making ORT's sessions of them. */
  readonly sessions_s: number;
  /** After that, until the weights were there. */
  readonly waiting_s: number;
  /** Reading them, which goes on beside the rest; 0 where ORT does it. */
  readonly reading_s: number;
}

/** A function that gives the time since it was last called, s. */
export function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const before = last;
    return ((last = performance.now()) - before) / 1000;
  };
}
