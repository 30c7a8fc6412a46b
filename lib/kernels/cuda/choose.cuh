// The target's negative log-likelihood and the argmax of the logits: step_choose.
//
// Grid [any number of blocks], any multiple of WARP threads, no dynamic shared memory. Each block reduces its share of the
// logits to CHOICE_FIELDS numbers; the last block to finish combines them.
//
// The argmax is the first of the largest logits. If no logit is a number, it is the last id.
#pragma once
#include "common.cuh"

// Numbers that a block passes on: largest logit, sum of exponentials relative to it, index of the largest.
constexpr int CHOICE_FIELDS = 3;

struct Choose {
  const float *logits; // [vocab]
  const i64 *target;
  float *partial; // [blocks, CHOICE_FIELDS]
  u32 *counter;   // zero
  float *nll;
  i64 *argmax;
  i64 vocab;
};
static_assert(sizeof(Choose) == 56, "see structs.ts");

__device__ __forceinline__ void better(float &value, int &index, float other, int at) {
  if (other > value || (other == value && at < index)) {
    value = other;
    index = at;
  }
}

// The largest value of the block and its index; all threads get them. `values`, `places`: one per warp.
__device__ void block_argmax(float &value, int &index, float *values, int *places) {
#pragma unroll
  for (int d = WARP / 2; d; d /= 2) {
    const float other = __shfl_xor_sync(~0u, value, d);
    const int at = __shfl_xor_sync(~0u, index, d);
    better(value, index, other, at);
  }
  __syncthreads();
  if (threadIdx.x % WARP == 0) {
    values[threadIdx.x / WARP] = value;
    places[threadIdx.x / WARP] = index;
  }
  __syncthreads();
  for (int w = 0; w < (int)blockDim.x / WARP; w++) better(value, index, values[w], places[w]);
}

__device__ __forceinline__ void choose(const Choose &a) {
  __shared__ float values[WARP], scratch[WARP];
  __shared__ int places[WARP];
  let_next_start();
  wait_for_inputs();

  // This block's share of the logits.
  const int vocab = (int)a.vocab, threads = gridDim.x * blockDim.x;
  float value = -INFINITE;
  int index = vocab - 1;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < vocab; i += threads) better(value, index, a.logits[i], i);
  block_argmax(value, index, values, places);
  float sum = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < vocab; i += threads) sum += expf(a.logits[i] - value);
  sum = block_reduce<false>(sum, scratch);
  if (threadIdx.x == 0) {
    a.partial[CHOICE_FIELDS * blockIdx.x] = value;
    a.partial[CHOICE_FIELDS * blockIdx.x + 1] = sum;
    a.partial[CHOICE_FIELDS * blockIdx.x + 2] = __int_as_float(index);
  }
  if (!is_last_block(a.counter, gridDim.x)) return;

  // All blocks' results.
  value = -INFINITE;
  index = vocab - 1;
  for (int b = threadIdx.x; b < (int)gridDim.x; b += blockDim.x) {
    better(value, index, __ldcg(a.partial + CHOICE_FIELDS * b), __float_as_int(__ldcg(a.partial + CHOICE_FIELDS * b + 2)));
  }
  block_argmax(value, index, values, places);
  sum = 0;
  for (int b = threadIdx.x; b < (int)gridDim.x; b += blockDim.x) {
    sum += __ldcg(a.partial + CHOICE_FIELDS * b + 1) * expf(__ldcg(a.partial + CHOICE_FIELDS * b) - value);
  }
  sum = block_reduce<false>(sum, scratch);
  if (threadIdx.x == 0) {
    // The largest logit less the target's is exact if both are close; with log(sum) added first it would be rounded twice.
    *a.nll = logf(sum) + (value - a.logits[*a.target]);
    *a.argmax = index;
  }
}
