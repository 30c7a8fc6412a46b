// Matrix times the vectors of several tokens: rows_linear_M_R and rows_columns_M, and rows_norm before them.
//
// What step_linear and step_columns compute, for M tokens, each weight loaded once. The sums of a token run in the order
// of the step's: a lane adds the same products one after another, and lanes are added in the same tree. So each token's
// results have the bits of a step's. Tokens past the last one repeat it, and are not written.
//
//   rows_norm       grid [tokens, segments], LINEAR_THREADS threads: normalizes the first inputs, into `out`
//   rows_linear_M_R  weights [rows, width]; grid [blocks of ROWS_WARPS * R rows], all segments in a line
//   rows_columns_M   weights [width, rows]; grid [blocks of COLUMNS_PER_BLOCK rows; groups of M tokens]
//
// R is how many rows of the matrix a warp computes: an input's load and conversion serve all of them. The caller takes the
// one with which multiprocessors have the most equal work.
//
// Inputs [tokens, width], residual and out [tokens, rows]. The inputs are normalized already: with M tokens each block
// would spend as long on it as on its weights. They come through L1, where the warps of a multiprocessor find what one of
// them has read; staged in shared memory, those of a wide product would not fit.
//
// Dynamic shared memory: rows_norm one input, T; rows_columns_M [LINEAR_THREADS, Vec<T>::N] floats.
#pragma once
#include "linear.cuh"
#include "rows_sums.cuh"

// Threads of a block of rows_linear_M.
constexpr int ROWS_THREADS = 128;
constexpr int ROWS_WARPS = ROWS_THREADS / WARP;

struct RowsLinear {
  Linear linear; // norms are ignored, except by rows_norm
  i64 tokens;
};
static_assert(sizeof(RowsLinear) == 528, "see structs.ts");

// Loads of each of a warp's rows that a thread has in flight.
__host__ __device__ constexpr int rows_loads(int tokens, int rows) {
  return rows == 1 ? 5 : tokens <= 4 ? (rows == 5 ? 3 : 4) : tokens <= 8 ? (rows == 4 ? 2 : 3) : 2;
}
// Whether the inputs of the next load are asked for ahead. More tokens have no registers left for it.
__host__ __device__ constexpr bool rows_ahead(int tokens) { return tokens <= 8; }
// Minimum blocks per multiprocessor: bounds the registers of a thread.
__host__ __device__ constexpr int rows_blocks(int tokens, int rows) {
  return rows == 5 ? (tokens <= 4 ? 3 : 2) : rows == 4 ? 3 : tokens <= 4 ? 5 : 4;
}

__host__ __device__ constexpr int power_of_two(int n) { return n <= 1 ? 1 : 2 * power_of_two((n + 1) / 2); }

// ---- Inputs ---------------------------------------------------------------------------------------------------------

template <class T> __device__ void norm_rows(const Linear &args) {
  extern __shared__ uint4 shared[];
  const Segment &s = args.segment[blockIdx.y];
  const i64 n = s.product[0].width / Vec<T>::N;
  let_next_start();
  wait_for_inputs();
  stage_normed<T>(s, (const uint4 *)s.product[0].input + blockIdx.x * n, s.product[0].width, (T *)shared);
  // A thread copies what it wrote.
  for (int i = threadIdx.x; i < n; i += LINEAR_THREADS) ((uint4 *)s.out)[blockIdx.x * n + i] = shared[i];
}

// Load i of each token's input.
template <int M> struct Inputs {
  uint4 load[M];

  __device__ __forceinline__ void read(const uint4 *x, int i, int n, int tokens) {
    i = min(i, n - 1);
    if (rows_ahead(M)) {
      // Where a token's input begins is the same for all lanes: it takes no registers of theirs.
#pragma unroll
      for (int m = 0; m < M; m++) {
        load[m] = *(const uint4 *)((const u8 *)(x + (i64)min(m, tokens - 1) * n) + (u32)i * LOAD_BYTES);
      }
    } else {
      const uint4 *at = x + i;
#pragma unroll
      for (int m = 0; m < M; m++) {
        load[m] = *at;
        if (m + 1 < tokens) at += n;
      }
    }
  }
};

// ---- Rows of a matrix, by a warp ------------------------------------------------------------------------------------

// sum[r][m] += product of row r and token m: the part of this lane. `start` asks for the first loads of weights; `finish`
// needs the inputs. A tile is what a lane has in flight; each of its loads is asked for again as soon as it is used.
template <class T, int M, int R> struct Rows {
  static const int LOADS = rows_loads(M, R);
  const uint4 *row[R]; // this lane's next tile
  uint4 tile[LOADS][R];

  __device__ __forceinline__ void start(const Product &p, int first, int rows) {
    const int n = p.width / Vec<T>::N, lane = threadIdx.x % WARP;
#pragma unroll
    for (int r = 0; r < R; r++) row[r] = (const uint4 *)p.weight + (i64)min(first + r, rows - 1) * n + lane;
#pragma unroll
    for (int u = 0; u < LOADS; u++) load(u, u * WARP + lane < n);
    next();
  }
  __device__ __forceinline__ void load(int u, bool wanted) {
#pragma unroll
    for (int r = 0; r < R; r++) load_once_if(wanted, row[r] + u * WARP, tile[u][r]);
  }
  __device__ __forceinline__ void next() {
#pragma unroll
    for (int r = 0; r < R; r++) row[r] += LOADS * WARP;
  }
  __device__ __forceinline__ void finish(const Product &p, int tokens, float (&sum)[R][M]) {
    const uint4 *x = (const uint4 *)p.input;
    const int n = p.width / Vec<T>::N, lane = threadIdx.x % WARP;
    Inputs<M> next_x;
    if (rows_ahead(M)) next_x.read(x, lane, n, tokens);
#pragma unroll 1
    for (int from = lane; from - lane < n; from += LOADS * WARP) {
#pragma unroll
      for (int u = 0; u < LOADS; u++) {
        const int i = from + u * WARP;
        Inputs<M> now = next_x;
        if (rows_ahead(M)) next_x.read(x, i + WARP, n, tokens);
        else now.read(x, i, n, tokens);
        if (i < n) {
          float w[R][Vec<T>::N];
#pragma unroll
          for (int r = 0; r < R; r++) unpack(tile[u][r], w[r], T());
#pragma unroll
          for (int m = 0; m < M; m++) {
            float a[Vec<T>::N];
            unpack(now.load[m], a, T());
#pragma unroll
            for (int r = 0; r < R; r++) {
#pragma unroll
              for (int j = 0; j < Vec<T>::N; j++) sum[r][m] += a[j] * w[r][j];
            }
          }
        }
        load(u, i + LOADS * WARP < n);
      }
      next();
    }
  }
};

template <class T, int M, int R> __device__ void linear_rows(const RowsLinear &args) {
  const int P = power_of_two(M), S = power_of_two(R) * P, PER_LANE = S > WARP ? S / WARP : 1;
  const int SHARING = S < WARP ? WARP / S : 1; // lanes with the same sum
  const Segment &s = segment_of_block(args.linear);
  const int lane = threadIdx.x % WARP, tokens = (int)args.tokens;
  const int first = (((int)blockIdx.x - s.first_block) * ROWS_WARPS + (int)threadIdx.x / WARP) * R;
  Rows<T, M, R> weights;
  weights.start(s.product[0], first, s.rows);
  // Lane l finishes sums k, k + 1, …: row k / P, token k % P.
  const int k = lane / SHARING * PER_LANE, row = first + k / P;
  const bool mine = lane % SHARING == 0 && k / P < R && row < s.rows;
  Added added = {};
  if (mine) added = biases<T>(s, row);
  let_next_start();
  wait_for_inputs();
  float x[S], y[S];
#pragma unroll
  for (int which = 0; which < 2; which++) {
    float sum[R][M] = {};
    if (which == 0 || s.combine != ONE) {
      if (which == 1) weights.start(s.product[1], first, s.rows);
      weights.finish(s.product[which], tokens, sum);
    }
    float(&out)[S] = which == 0 ? x : y;
#pragma unroll
    for (int i = 0; i < S; i++) out[i] = i % P < M && i / P < R ? sum[i / P < R ? i / P : 0][i % P < M ? i % P : 0] : 0.f;
    if (which == 0 || s.combine != ONE) lane_sums<S, WARP>(out);
  }
  if (!mine) return;
#pragma unroll
  for (int i = 0; i < PER_LANE; i++) {
    const int token = k % P + i;
    if (token >= tokens) break;
    const int result = token * s.rows + row;
    added.residual = at<T>(s.residual, result);
    finish_row<T>(s, result, x[i], y[i], added);
  }
}

// ---- COLUMNS_PER_BLOCK columns, by a block --------------------------------------------------------------------------

// As column<T>, for inputs x[tokens, width]. Returns the sum of token `wanted`.
template <class T, int M>
__device__ float column_rows(const Product &p, const T *x, int first, int rows, int tokens, int wanted, float *sums) {
  const int per_row = COLUMNS_PER_BLOCK / Vec<T>::N, slices = LINEAR_THREADS / per_row;
  const int per_column = LINEAR_THREADS / COLUMNS_PER_BLOCK;
  const int slice = threadIdx.x / per_row, within = threadIdx.x % per_row * Vec<T>::N;
  float sum[M][Vec<T>::N] = {};
  if (first + within < rows) {
    const T *weight = (const T *)p.weight + first + within;
#pragma unroll 1
    for (int k0 = slice; k0 < p.width; k0 += COLUMN_LOADS * slices) {
      uint4 loaded[COLUMN_LOADS];
#pragma unroll
      for (int u = 0; u < COLUMN_LOADS; u++) {
        loaded[u] = load_once((const uint4 *)(weight + min((i64)k0 + u * slices, p.width - 1) * rows));
      }
#pragma unroll
      for (int u = 0; u < COLUMN_LOADS; u++) {
        const int k = k0 + u * slices;
        float w[Vec<T>::N];
        unpack(loaded[u], w, T());
#pragma unroll
        for (int m = 0; m < M; m++) {
          const float a = k < p.width ? widen(x[min(m, tokens - 1) * p.width + k]) : 0.f;
#pragma unroll
          for (int j = 0; j < Vec<T>::N; j++) sum[m][j] += a * w[j];
        }
      }
    }
  }
  float result = 0;
#pragma unroll
  for (int m = 0; m < M; m++) {
    __syncthreads();
#pragma unroll
    for (int j = 0; j < Vec<T>::N; j++) sums[(within + j) * slices + slice] = sum[m][j];
    __syncthreads();
    float total = 0;
    for (int i = threadIdx.x % per_column; i < slices; i += per_column) {
      total += sums[threadIdx.x / per_column * slices + i];
    }
#pragma unroll
    for (int d = per_column / 2; d; d /= 2) total += __shfl_xor_sync(~0u, total, d);
    if (m == wanted) result = total;
  }
  return result;
}

template <class T, int M> __device__ void columns_rows(const RowsLinear &args) {
  static_assert(M <= LINEAR_THREADS / COLUMNS_PER_BLOCK, "each thread of a column finishes one token");
  extern __shared__ uint4 shared[];
  const Segment &s = segment_of_block(args.linear);
  const int per_column = LINEAR_THREADS / COLUMNS_PER_BLOCK, from = blockIdx.y * M, tokens = min((int)args.tokens - from, M);
  const int block = ((int)blockIdx.x - s.first_block) * COLUMNS_PER_BLOCK;
  const int row = block + threadIdx.x / per_column, token = threadIdx.x % per_column;
  const bool mine = row < s.rows && token < tokens;
  Added added = biases<T>(s, min(row, s.rows - 1));
  let_next_start();
  wait_for_inputs();
  const int result = (from + token) * s.rows + row;
  if (mine) added.residual = at<T>(s.residual, result);
  const auto sum = [&](const Product &p) {
    return column_rows<T, M>(p, (const T *)p.input + from * p.width, block, s.rows, tokens, token, (float *)shared);
  };
  const float x = sum(s.product[0]);
  const float y = s.combine == ONE ? 0.f : sum(s.product[1]);
  if (mine) finish_row<T>(s, result, x, y, added);
}
