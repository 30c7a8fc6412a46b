// Queries, keys and values of a prompt's tokens, from the projections' results: step_heads.
//
// Adds biases, separates the heads and rotates queries and keys, in one pass over memory. General operators need four
// passes. Grid [tokens, loads of a token / HEADS_THREADS, rounded up]; no shared memory. A thread computes one load of
// a token.
#pragma once
#include "common.cuh"

constexpr int HEADS_THREADS = 256;

struct PromptRows {
  const void *rows;              // first head of the first token
  const void *bias;              // of the first head, or null
  void *out;                     // [tokens, heads, headDim]
  i64 token_stride, head_stride; // elements; a bias has the same head_stride
};
struct Heads {
  PromptRows part[3];           // queries, keys, values
  const float *cosine, *sine;   // [positions, rotaryDim / 2], or null
  const i64 *positions;         // [tokens]
  int heads, kv_heads, head_dim, rotary_dim;
};
static_assert(sizeof(Heads) == 160, "see structs.ts");

template <class T> __device__ void prompt_heads(const Heads &a) {
  const int N = Vec<T>::N, vecs = a.head_dim / N, i = blockIdx.y * HEADS_THREADS + threadIdx.x;
  const i64 token = blockIdx.x;
  let_next_start();
  wait_for_inputs();
  if (i >= (a.heads + 2 * a.kv_heads) * vecs) return;
  const int index = i / vecs, first = i % vecs * N, which = (index >= a.heads) + (index >= a.heads + a.kv_heads);
  const PromptRows &rows = a.part[which];
  const int head = which == 0 ? index : index - a.heads - (which == 2 ? a.kv_heads : 0);
  const T *x = (const T *)rows.rows + token * rows.token_stride + head * rows.head_stride;
  const T *bias = rows.bias ? (const T *)rows.bias + head * rows.head_stride : nullptr;
  float v[N], plus[N];
  unpack(*(const uint4 *)(x + first), v, T());
  if (bias) {
    unpack(*(const uint4 *)(bias + first), plus, T());
#pragma unroll
    for (int j = 0; j < N; j++) v[j] += plus[j];
  }
  // Rotation needs the other half of the head as well, with its bias.
  if (a.cosine && which < 2 && first < a.rotary_dim) {
    const int half = a.rotary_dim / 2;
    const float *cosine = a.cosine + a.positions[token] * half, *sine = a.sine + a.positions[token] * half;
#pragma unroll
    for (int j = 0; j < N; j++) {
      const int d = first + j;
      if (d >= a.rotary_dim) break;
      const int pair = d < half ? d : d - half, other = d < half ? d + half : pair;
      const float y = widen(x[other]) + (bias ? widen(bias[other]) : 0.f);
      v[j] = v[j] * cosine[pair] + (d < half ? -y : y) * sine[pair];
    }
  }
  T packed[N];
#pragma unroll
  for (int j = 0; j < N; j++) narrow(v[j], packed[j]);
  const i64 width = (i64)(which == 0 ? a.heads : a.kv_heads) * a.head_dim;
  *(uint4 *)((T *)rows.out + token * width + head * a.head_dim + first) = *(uint4 *)packed;
}
