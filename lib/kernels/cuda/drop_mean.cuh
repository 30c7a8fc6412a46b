// DOT_MEAN: each entry's product with the mean of the middle's vectors, or of their directions. Included by drop.cuh.
//
// The sum over the middle is carried from step to step: sum_up adds the entries that joined the middle, keep_sum
// subtracts the dropped one. So each vector is read once per step: docs/engine-log.md, entry 10.
#pragma once
#include "drop_program.cuh"

// Numbers kept with a sum [headDim]: its count of entries, the rank of the first, and the number of steps it was
// carried over.
constexpr int SUM_FIELDS = 3;
// Steps after which a sum is computed anew. Until then the error of adding and subtracting stays below that of one sum.
constexpr int MAX_SUM_AGE = 256;
// Elements of a sum that a lane has.
constexpr int SUM_PARTS = MAX_HEAD_DIM / WARP;
// Loads of a vector that a thread has in flight.
constexpr int MEAN_LOADS = 3;

// 1, or 1 / norm of a vector for its direction. Called by a warp.
template <class T> __device__ __forceinline__ float scale_of(const T *x, int n, bool direction) {
  if (!direction) return 1.f;
  float squares = 0;
  for (int i = threadIdx.x % WARP; i < n; i += WARP) squares += widen(x[i]) * widen(x[i]);
  return 1.f / sqrtf(warp_sum(squares));
}

// sum[headDim] = a row's sum, updated: adds the entries that joined the middle. `state`: the sum and numbers kept.
// `parts`: scratch, [DROP_THREADS / WARP, headDim].
template <class T>
__device__ void sum_up(const T *x, int entries, int n, const float *rank, int sink, int end, bool direction,
                       float *state, float *parts, float *sum) {
  const int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
  const int summed = (int)state[n], age = (int)state[n + 2];
  bool stale = summed == 0 || summed > end - sink || state[n + 1] != sink || age >= MAX_SUM_AGE;
  // A sum that is not finite would stay so after the entry that caused it was dropped.
  for (int i = threadIdx.x; i < n; i += DROP_THREADS) stale |= !(fabsf(state[i]) < INFINITE);
  const bool fresh = __syncthreads_or(stale);
  const int from = fresh ? sink : sink + summed;
  float part[SUM_PARTS] = {};
  for (int s0 = warp * WARP; s0 < entries; s0 += DROP_THREADS) {
    const float r = s0 + lane < entries ? rank[s0 + lane] : -1.f;
    for (u32 todo = __ballot_sync(~0u, r >= from && r < end); todo; todo &= todo - 1) {
      const T *vector = x + (i64)(s0 + __ffs(todo) - 1) * n;
      const float scale = scale_of(vector, n, direction);
#pragma unroll
      for (int k = 0; k < SUM_PARTS; k++) {
        if (k * WARP + lane < n) part[k] += scale * widen(vector[k * WARP + lane]);
      }
    }
  }
#pragma unroll
  for (int k = 0; k < SUM_PARTS; k++) {
    if (k * WARP + lane < n) parts[warp * n + k * WARP + lane] = part[k];
  }
  __syncthreads();
  for (int i = threadIdx.x; i < n; i += DROP_THREADS) {
    float total = fresh ? 0.f : state[i];
#pragma unroll
    for (int w = 0; w < DROP_THREADS / WARP; w++) total += parts[w * n + i];
    sum[i] = total;
  }
  if (threadIdx.x == 0) state[n + 2] = fresh ? 0 : age + 1;
  __syncthreads();
}

// out[rank] = each entry's product with the mean. As few threads share an entry as can have all its loads in flight.
template <class T>
__device__ void dot_mean(const T *x, int entries, int n, const float *rank, int count, bool direction, const float *sum,
                         float *out) {
  const int N = Vec<T>::N, vecs = n / N;
  int lanes = 1;
  while (lanes * MEAN_LOADS < vecs && lanes < WARP) lanes *= 2;
  const int within = threadIdx.x % lanes, group = threadIdx.x / lanes, groups = DROP_THREADS / lanes;
#pragma unroll 1
  for (int e0 = 0; e0 < entries; e0 += groups) {
    const int e = e0 + group, safe = min(e, entries - 1);
    const int own_rank = (int)rank[safe];
    float product = 0, squares = 0;
#pragma unroll 1
    for (int v0 = within; v0 < vecs; v0 += MEAN_LOADS * lanes) {
      uint4 loaded[MEAN_LOADS];
#pragma unroll
      for (int u = 0; u < MEAN_LOADS; u++) loaded[u] = ((const uint4 *)(x + (i64)safe * n))[min(v0 + u * lanes, vecs - 1)];
#pragma unroll
      for (int u = 0; u < MEAN_LOADS; u++) {
        const int v = v0 + u * lanes;
        if (v >= vecs) continue;
        float w[N];
        unpack(loaded[u], w, T());
#pragma unroll
        for (int j = 0; j < N; j++) {
          product += w[j] * sum[v * N + j];
          squares += w[j] * w[j];
        }
      }
    }
    for (int d = lanes / 2; d; d /= 2) {
      product += __shfl_xor_sync(~0u, product, d);
      squares += __shfl_xor_sync(~0u, squares, d);
    }
    if (within == 0 && e < entries) out[own_rank] = product / count * (direction ? 1.f / sqrtf(squares) : 1.f);
  }
}

// Subtracts the dropped entry from a sum, and keeps the sum for the next step. Called by the block; one warp works.
template <class T>
__device__ void keep_sum(const T *leaving, int n, int sink, int end, bool direction, const float *sum,
                         float *state) {
  if (threadIdx.x >= WARP) return;
  const float scale = scale_of(leaving, n, direction);
  for (int i = threadIdx.x; i < n; i += WARP) state[i] = sum[i] - scale * widen(leaving[i]);
  if (threadIdx.x > 0) return;
  state[n] = end - sink - 1;
  state[n + 1] = sink;
}
