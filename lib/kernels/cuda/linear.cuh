// Matrix times vector: step_linear and step_columns.
//
// out = residual + combine(activation(W0 norm(x0) + b0), W1 x1 + b1), for the rows of up to MAX_SEGMENTS matrices in one
// launch. At batch 1 the weights are nearly all that a step reads: a kernel is as fast as it loads them. Norms, biases,
// activations and residuals are computed on the way, which saves their launches.
//
//   step_linear   weights [rows, width]; grid [blocks of ROWS_PER_BLOCK rows], all segments in a line
//   step_columns  weights [width, rows], as GPT-2 stores them; grid [blocks of COLUMNS_PER_BLOCK rows]
//
// Dynamic shared memory: the inputs of both products, T; step_columns has [LINEAR_THREADS, Vec<T>::N] floats more.
#pragma once
#include "common.cuh"

constexpr int LINEAR_THREADS = 256;
// One warp computes one row.
constexpr int ROWS_PER_BLOCK = LINEAR_THREADS / WARP;
constexpr int COLUMNS_PER_BLOCK = 16;
constexpr int MAX_SEGMENTS = 4;
// Loads of weights that a thread has in flight. docs/engine-log.md has the times of other values.
constexpr int ROW_LOADS = 5;
constexpr int COLUMN_LOADS = 8;
// Minimum blocks of step_linear per multiprocessor. It bounds the registers of a thread.
constexpr int LINEAR_BLOCKS_PER_SM = 4;

// ---- Arguments: see structs.ts --------------------------------------------------------------------------------------

enum Combine { ONE, SUM, GATED };
enum Activation { IDENTITY, GELU, GELU_TANH, RELU, SILU };
enum Norm { NONE, LAYER, RMS };

struct Product {
  const void *weight; // [rows, width]
  const void *input;  // [width]
  const void *bias;   // [rows] or null
  i64 width;          // a multiple of LOAD_BYTES
};

struct Segment {
  Product product[2];
  const void *scale, *shift; // of the norm, [width], or null
  const void *residual;      // [rows] or null
  void *out;                 // [rows], T or float
  int rows, first_block;
  int combine, activation, norm, plus_one;
  int out_float;
  float eps;
};
static_assert(sizeof(Segment) == 128, "see structs.ts");

struct Linear {
  Segment segment[MAX_SEGMENTS];
  i64 count;
};

__device__ __forceinline__ const Segment &segment_of_block(const Linear &args) {
  int which = 0;
  while (which + 1 < args.count && (int)blockIdx.x >= args.segment[which + 1].first_block) which++;
  return args.segment[which];
}

// ---- Inputs, into shared memory -------------------------------------------------------------------------------------

// Sum over the block's threads, with one barrier. Each call has its own `sums`: no barrier follows their reads.
__device__ __forceinline__ float linear_sum(float x, float *sums) {
  x = warp_sum(x);
  if (threadIdx.x % WARP == 0) sums[threadIdx.x / WARP] = x;
  __syncthreads();
  x = 0;
#pragma unroll
  for (int w = 0; w < LINEAR_THREADS / WARP; w++) x += sums[w];
  return x;
}

// Copies an input.
template <class T> __device__ __forceinline__ void stage(const void *x, int width, T *out) {
#pragma unroll 2
  for (int i = threadIdx.x; i < width / Vec<T>::N; i += LINEAR_THREADS) ((uint4 *)out)[i] = ((const uint4 *)x)[i];
}

// Copies an input and normalizes it. A thread reads only what it wrote, so no barrier is needed between the two.
template <class T> __device__ __forceinline__ void stage_normed(const Segment &s, const void *x, int width, T *out) {
  __shared__ float sums[2][LINEAR_THREADS / WARP];
  const int n = width / Vec<T>::N;
  uint4 *target = (uint4 *)out;
  float v[Vec<T>::N], sum = 0, mean = 0, squares = 0;
#pragma unroll 2
  for (int i = threadIdx.x; i < n; i += LINEAR_THREADS) {
    const uint4 loaded = ((const uint4 *)x)[i];
    target[i] = loaded;
    unpack(loaded, v, T());
#pragma unroll
    for (int j = 0; j < Vec<T>::N; j++) sum += s.norm == LAYER ? v[j] : v[j] * v[j];
  }
  sum = linear_sum(sum, sums[0]);
  if (s.norm == LAYER) {
    mean = sum / width;
#pragma unroll 2
    for (int i = threadIdx.x; i < n; i += LINEAR_THREADS) {
      unpack(target[i], v, T());
#pragma unroll
      for (int j = 0; j < Vec<T>::N; j++) squares += (v[j] - mean) * (v[j] - mean);
    }
    sum = linear_sum(squares, sums[1]);
  }
  const float inverse = rsqrtf(sum / width + s.eps);
#pragma unroll 2
  for (int i = threadIdx.x; i < n; i += LINEAR_THREADS) {
    float by[Vec<T>::N], plus[Vec<T>::N];
    unpack(target[i], v, T());
    if (s.scale) unpack(((const uint4 *)s.scale)[i], by, T());
    if (s.shift) unpack(((const uint4 *)s.shift)[i], plus, T());
    T packed[Vec<T>::N];
#pragma unroll
    for (int j = 0; j < Vec<T>::N; j++) {
      const float scaled = (v[j] - mean) * inverse * (!s.scale ? 1.f : s.plus_one ? by[j] + 1.f : by[j]);
      narrow(s.shift ? scaled + plus[j] : scaled, packed[j]);
    }
    target[i] = *(uint4 *)packed;
  }
}

// Copies the inputs of both products. A gated pair has one input.
template <class T> __device__ __forceinline__ void stage_all(const Segment &s, T *x0, T *x1) {
  if (s.norm) stage_normed<T>(s, s.product[0].input, s.product[0].width, x0);
  else stage<T>(s.product[0].input, s.product[0].width, x0);
  if (s.combine == SUM) stage<T>(s.product[1].input, s.product[1].width, x1);
  __syncthreads();
}

// ---- One row, by a warp ---------------------------------------------------------------------------------------------

// `start` asks for the first ROW_LOADS loads of each thread; `finish` needs the input. In between a kernel waits for it.
template <class T> struct Row {
  const uint4 *row;
  uint4 tile[ROW_LOADS];

  __device__ __forceinline__ void start(const Product &p, int index) {
    row = (const uint4 *)p.weight + index * (p.width / Vec<T>::N);
    load(0, p.width / Vec<T>::N);
  }
  __device__ __forceinline__ void load(int from, int n) {
    const int lane = threadIdx.x % WARP;
#pragma unroll
    for (int u = 0; u < ROW_LOADS; u++) {
      const int i = from + u * WARP + lane;
      tile[u] = i < n ? load_once(row + i) : make_uint4(0, 0, 0, 0);
    }
  }
  __device__ __forceinline__ float finish(const Product &p, const T *x) {
    const int n = p.width / Vec<T>::N, lane = threadIdx.x % WARP;
    float sum = 0;
#pragma unroll 1
    for (int from = 0; from < n; from += ROW_LOADS * WARP) {
      if (from) load(from, n);
#pragma unroll
      for (int u = 0; u < ROW_LOADS; u++) {
        const int i = from + u * WARP + lane;
        if (i < n) {
          float a[Vec<T>::N], w[Vec<T>::N];
          unpack(((const uint4 *)x)[i], a, T());
          unpack(tile[u], w, T());
#pragma unroll
          for (int j = 0; j < Vec<T>::N; j++) sum += a[j] * w[j];
        }
      }
    }
    return warp_sum(sum);
  }
};

// ---- COLUMNS_PER_BLOCK columns, by a block --------------------------------------------------------------------------

// A thread loads LOAD_BYTES of a row of the stored matrix, and every `slices`-th row: neighbours read neighbouring bytes.
// `sums`: [COLUMNS_PER_BLOCK, slices]. Thread i * (LINEAR_THREADS / COLUMNS_PER_BLOCK) returns the sum of column i.
template <class T> __device__ float column(const Product &p, int first, int rows, const T *x, float *sums) {
  const int per_row = COLUMNS_PER_BLOCK / Vec<T>::N, slices = LINEAR_THREADS / per_row;
  const int per_column = LINEAR_THREADS / COLUMNS_PER_BLOCK;
  const int slice = threadIdx.x / per_row, within = threadIdx.x % per_row * Vec<T>::N;
  float sum[Vec<T>::N] = {};
  if (first + within < rows) {
    const T *weight = (const T *)p.weight + first + within;
    for (int k0 = slice; k0 < p.width; k0 += COLUMN_LOADS * slices) {
      uint4 loaded[COLUMN_LOADS];
#pragma unroll
      for (int u = 0; u < COLUMN_LOADS; u++) {
        loaded[u] = load_once((const uint4 *)(weight + min((i64)k0 + u * slices, p.width - 1) * rows));
      }
#pragma unroll
      for (int u = 0; u < COLUMN_LOADS; u++) {
        const int k = k0 + u * slices;
        const float a = k < p.width ? widen(x[k]) : 0.f;
        float w[Vec<T>::N];
        unpack(loaded[u], w, T());
#pragma unroll
        for (int j = 0; j < Vec<T>::N; j++) sum[j] += a * w[j];
      }
    }
  }
  __syncthreads();
#pragma unroll
  for (int j = 0; j < Vec<T>::N; j++) sums[(within + j) * slices + slice] = sum[j];
  __syncthreads();
  float total = 0;
  for (int i = threadIdx.x % per_column; i < slices; i += per_column) total += sums[threadIdx.x / per_column * slices + i];
#pragma unroll
  for (int d = per_column / 2; d; d /= 2) total += __shfl_xor_sync(~0u, total, d);
  return total;
}

// ---- Results --------------------------------------------------------------------------------------------------------

__device__ __forceinline__ float activate(float x, int kind) {
  switch (kind) {
    case GELU: return 0.5f * x * (1.f + erff(x * 0.70710678118654752f));
    case GELU_TANH: return 0.5f * x * (1.f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
    case RELU: return fmaxf(x, 0.f);
    case SILU: return x / (1.f + __expf(-x));
    default: return x;
  }
}

// What is added to a row's products.
struct Added { float bias[2], residual; };

// Biases are constant, so they are loaded before the wait for inputs. The residual is not.
template <class T> __device__ __forceinline__ Added biases(const Segment &s, int row) {
  return {{at<T>(s.product[0].bias, row), s.combine == ONE ? 0.f : at<T>(s.product[1].bias, row)}, 0.f};
}

// Combines a row's products and writes the result.
template <class T> __device__ __forceinline__ void finish_row(const Segment &s, int row, float x, float y, const Added &a) {
  x = activate(x + a.bias[0], s.activation);
  if (s.combine != ONE) x = s.combine == SUM ? x + (y + a.bias[1]) : x * (y + a.bias[1]);
  x += a.residual;
  if (s.out_float) ((float *)s.out)[row] = x;
  else narrow(x, ((T *)s.out)[row]);
}

// ---- Kernels --------------------------------------------------------------------------------------------------------

template <class T> __device__ void linear(const Linear &args) {
  extern __shared__ uint4 shared[];
  const Segment &s = segment_of_block(args);
  const int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
  const int row = ((int)blockIdx.x - s.first_block) * ROWS_PER_BLOCK + warp, safe = min(row, s.rows - 1);
  T *x0 = (T *)shared, *x1 = s.combine == SUM ? x0 + s.product[0].width : x0;
  Row<T> first;
  first.start(s.product[0], safe);
  Added added = {};
  if (lane == 0) added = biases<T>(s, safe);
  let_next_start();
  wait_for_inputs();
  if (lane == 0) added.residual = at<T>(s.residual, safe);
  stage_all<T>(s, x0, x1);
  const float x = first.finish(s.product[0], x0);
  float y = 0;
  if (s.combine != ONE) {
    Row<T> second;
    second.start(s.product[1], safe);
    y = second.finish(s.product[1], x1);
  }
  if (lane == 0 && row < s.rows) finish_row<T>(s, row, x, y, added);
}

template <class T> __device__ void columns(const Linear &args) {
  extern __shared__ uint4 shared[];
  const Segment &s = segment_of_block(args);
  const int per_column = LINEAR_THREADS / COLUMNS_PER_BLOCK;
  const int block = ((int)blockIdx.x - s.first_block) * COLUMNS_PER_BLOCK;
  const int row = block + threadIdx.x / per_column, safe = min(row, s.rows - 1);
  T *x0 = (T *)shared, *x1 = s.combine == SUM ? x0 + s.product[0].width : x0;
  float *sums = (float *)(x1 + s.product[s.combine == SUM].width);
  Added added = biases<T>(s, safe);
  let_next_start();
  wait_for_inputs();
  added.residual = at<T>(s.residual, safe);
  stage_all<T>(s, x0, x1);
  const float x = column<T>(s.product[0], block, s.rows, x0, sums);
  const float y = s.combine == ONE ? 0.f : column<T>(s.product[1], block, s.rows, x1, sums);
  if (threadIdx.x % per_column == 0 && row < s.rows) finish_row<T>(s, row, x, y, added);
}
