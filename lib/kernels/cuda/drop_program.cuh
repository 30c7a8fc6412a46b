// The score that decides evictions, as a program for a machine with a stack of arrays. Included by drop.cuh.
//
// An array has one float per entry of the row, in text order (by rank), in shared memory. lib/policies/score.ts has the
// expressions, drop_program.ts compiles them, and its numbers are those of `Op`. All threads of a block run an instruction
// together; a barrier follows. Outside the middle [sink, end) the numbers are arbitrary.
#pragma once
#include "common.cuh"

constexpr int DROP_THREADS = 256;
constexpr int MAX_INSTRUCTIONS = 32;
// Threads that share a vector in OVER_DIM: their loads are neighbours.
constexpr int THREADS_PER_VECTOR = 8;

enum Op {
  KEY_NORM, ATTENTION, RANDOM, CONSTANT,                              // push an array
  OVER_DIM, DOT_MEAN,                                                 // push an array, of keys or values
  NEG, ABS, SQRT, EXP, LOG, SUM_OVER, MEAN_OVER, MAX_OVER, NORM_OVER, // replace the top
  AVG_POOL, MAX_POOL,                                                 // replace the top, need an array above it
  ADD, SUB, MUL, DIV                                                  // replace the top two
};
struct Instruction { int op; float number; };

// Bits of the number of OVER_DIM and DOT_MEAN. Two more bits say what OVER_DIM computes: sum, mean, max, norm.
constexpr int OF_VALUES = 1;
constexpr int ABSOLUTE = 2;
constexpr int DIRECTION = 2; // vectors divided by their norms

// ---- Features -------------------------------------------------------------------------------------------------------

// Uniform in [0, 1), a pure function of its arguments. lib/cache/random_graph.ts computes the same with general operators.
constexpr u64 PRIME = 2147483647ull;
__device__ float uniform(i64 draw, int row, int rank) {
  u64 x = ((u64)draw % PRIME * 1103515245ull % PRIME + (u64)row * 69621ull % PRIME + (u64)rank * 1664525ull % PRIME) % PRIME;
  const u64 by[3] = {48271ull, 1583458089ull, 784588716ull}, plus[3] = {11ull, 1234567ull, 97ull};
#pragma unroll
  for (int i = 0; i < 3; i++) {
    const u64 y = (x * by[i] % PRIME + plus[i]) % PRIME;
    x = (y * y + y) % PRIME;
  }
  return (float)x * (1.f / 2147483647.f);
}

// x[rank] = a feature of each entry, or a constant. The newest entry's norm is not in `norms` yet.
__device__ __forceinline__ void push_feature(const i64 *draw, int op, float number, int row, int last, int entries,
                                             const float *rank, const float *norms, const float *newest_norm,
                                             const float *paid, float *x) {
  for (int slot = threadIdx.x; slot < entries; slot += DROP_THREADS) {
    const int i = (int)rank[slot];
    switch (op) {
      case KEY_NORM: x[i] = slot == last ? *newest_norm : norms[slot]; break;
      case ATTENTION: x[i] = paid[slot]; break;
      case RANDOM: x[i] = uniform(*draw, row, i); break;
      default: x[i] = number;
    }
  }
}

// ---- Instructions ---------------------------------------------------------------------------------------------------

// out[rank] = the sum, mean, max or norm of the elements of each entry's vector x[headDim].
template <class T> __device__ void over_dim(const T *x, int entries, int n, const float *rank, int bits, float *out) {
  const int vecs = n / Vec<T>::N, within = threadIdx.x % THREADS_PER_VECTOR, kind = bits >> 2;
  for (int e0 = 0; e0 < entries; e0 += DROP_THREADS / THREADS_PER_VECTOR) {
    const int e = e0 + threadIdx.x / THREADS_PER_VECTOR;
    float sum = kind == 2 ? -INFINITE : 0;
    for (int v = within; v < vecs && e < entries; v += THREADS_PER_VECTOR) {
      float w[Vec<T>::N];
      unpack(((const uint4 *)(x + e * n))[v], w, T());
#pragma unroll
      for (int j = 0; j < Vec<T>::N; j++) {
        const float y = bits & ABSOLUTE ? fabsf(w[j]) : w[j];
        sum = kind == 2 ? fmaxf(sum, y) : sum + (kind == 3 ? y * y : y);
      }
    }
#pragma unroll
    for (int d = THREADS_PER_VECTOR / 2; d; d /= 2) {
      const float other = __shfl_xor_sync(~0u, sum, d);
      sum = kind == 2 ? fmaxf(sum, other) : sum + other;
    }
    if (within == 0 && e < entries) out[(int)rank[e]] = kind == 1 ? sum / n : kind == 3 ? sqrtf(sum) : sum;
  }
}

// x = f(x), for NEG to LOG.
__device__ __forceinline__ void apply(int op, int entries, float *x) {
  for (int i = threadIdx.x; i < entries; i += DROP_THREADS) {
    const float v = x[i];
    x[i] = op == NEG ? -v : op == ABS ? fabsf(v) : op == SQRT ? sqrtf(v) : op == EXP ? expf(v) : logf(v);
  }
}

// The sum, mean, max or norm of the middle, from each thread's share; for SUM_OVER to NORM_OVER.
__device__ __forceinline__ float reduce_middle(int op, float x, int sink, int end, float *scratch) {
  x = op == MAX_OVER ? block_reduce<true>(x, scratch) : block_reduce<false>(x, scratch);
  if (op == MEAN_OVER) x /= end - sink;
  if (op == NORM_OVER) x = sqrtf(x);
  return x;
}
