// Where a pass of several tokens begins and ends: their embeddings, rows_embed, and the most likely token after each,
// rows_argmax.
//
//   rows_embed   grid [hidden / threads, rounded up; tokens]; any number of threads; no shared memory
//   rows_argmax  grid [any number of blocks; tokens]; any multiple of WARP threads; no dynamic shared memory
#pragma once
#include "choose.cuh"
#include "embed.cuh"

// As embed<T>. `a` is token 0's; positions follow each other.
template <class T> __device__ void embed_rows(const Embed &a) {
  Embed own = a;
  own.id += blockIdx.y;
  own.offset += blockIdx.y;
  own.out = (T *)a.out + blockIdx.y * a.hidden;
  embed<T>(own);
}

struct Argmax {
  const float *logits; // [tokens, vocab]
  float *partial;      // [tokens, blocks, ARGMAX_FIELDS]
  u32 *counters;       // [tokens], zero
  i64 *argmax;         // [tokens]
  i64 vocab;
};
static_assert(sizeof(Argmax) == 40, "see structs.ts");

// Numbers that a block passes on: largest logit, its index.
constexpr int ARGMAX_FIELDS = 2;

// The argmax as choose finds it: the first of the largest; the last id if no logit is a number.
__device__ __forceinline__ void argmax_rows(const Argmax &a) {
  __shared__ float values[WARP];
  __shared__ int places[WARP];
  let_next_start();
  wait_for_inputs();
  const int vocab = (int)a.vocab;
  const float *logits = a.logits + (i64)blockIdx.y * vocab;
  float *partial = a.partial + (i64)blockIdx.y * gridDim.x * ARGMAX_FIELDS;
  float value = -INFINITE;
  int index = vocab - 1;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < vocab; i += gridDim.x * blockDim.x) {
    better(value, index, logits[i], i);
  }
  block_argmax(value, index, values, places);
  if (threadIdx.x == 0) {
    partial[ARGMAX_FIELDS * blockIdx.x] = value;
    partial[ARGMAX_FIELDS * blockIdx.x + 1] = __int_as_float(index);
  }
  if (!is_last_block(a.counters + blockIdx.y, gridDim.x)) return;
  value = -INFINITE;
  index = vocab - 1;
  for (int b = threadIdx.x; b < (int)gridDim.x; b += blockDim.x) {
    better(value, index, __ldcg(partial + ARGMAX_FIELDS * b), __float_as_int(__ldcg(partial + ARGMAX_FIELDS * b + 1)));
  }
  block_argmax(value, index, values, places);
  if (threadIdx.x == 0) a.argmax[blockIdx.y] = index;
}
