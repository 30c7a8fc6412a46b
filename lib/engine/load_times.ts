/** Time of each part of loading, s. */
export interface LoadTimes {
  /** Allocating the weights' block and starting to read. */
  readonly block_s: number;
  /** Loading the project's own kernels. */
  readonly kernels_s: number;
  /** Writing graphs and making ORT sessions of them. */
  readonly sessions_s: number;
  /** Waiting after that until the weights were loaded. */
  readonly waiting_s: number;
  /** Reading the weights, in parallel with the rest; 0 if ORT does it. */
  readonly reading_s: number;
}

/** Returns a function that gives the time since it was last called, s. */
export function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const before = last;
    return ((last = performance.now()) - before) / 1000;
  };
}
