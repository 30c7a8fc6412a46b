/**
 * Numbers that the CUDA source also defines, under the same names. Launches and structures depend on them. A test
 * compares each with its `constexpr int` in `cuda/`.
 *
 * @module
 */

/** Threads of a warp. */
export const WARP = 32;
/** Bytes that a thread loads at once. */
export const LOAD_BYTES = 16;
/** Largest head size. */
export const MAX_HEAD_DIM = 512;

/** Threads of a block of `step_linear` and `step_columns`. */
export const LINEAR_THREADS = 256;
/** Rows of a matrix that a block of `step_linear` computes. */
export const ROWS_PER_BLOCK = 8;
/** Rows of a transposed matrix (columns as stored) that a block of `step_columns` computes. */
export const COLUMNS_PER_BLOCK = 16;
/** Most segments of a launch. */
export const MAX_SEGMENTS = 4;

/** Threads of a block of `step_attend`. */
export const ATTEND_THREADS = 256;
/** Queries of a KV head that attention holds in registers at a time. */
export const QUERIES_PER_PASS = 2;
/** Numbers that a block of `step_attend` passes on for a query in addition to its sum of values. */
export const PARTIAL_FIELDS = 2;

/** Numbers that a block of `step_choose` passes on. */
export const CHOICE_FIELDS = 3;

/** Threads of a block of `step_drop` and `step_drop_mean`. */
export const DROP_THREADS = 256;
/** Most instructions of an eviction program. */
export const MAX_INSTRUCTIONS = 32;
/** Numbers kept with a sum that is carried from step to step. */
export const SUM_FIELDS = 3;
/** Bits of the number of `over_dim` and `dot_mean`. Two more bits say what `over_dim` computes. */
export const OF_VALUES = 1, ABSOLUTE = 2, DIRECTION = 2;

/** Threads of a block of `step_heads`. */
export const HEADS_THREADS = 256;

/** Threads of a block of `rows_linear_M_R`. */
export const ROWS_THREADS = 128;
/** Pairs of a query and a token whose sums of values a block of `rows_attend_P` has in shared memory at a time. */
export const PAIRS_PER_SUM = 4;
/** Floats between the weights of two pairs. */
export const LINE_GAP = 4;
/** Numbers that a block of `rows_argmax` passes on. */
export const ARGMAX_FIELDS = 2;
