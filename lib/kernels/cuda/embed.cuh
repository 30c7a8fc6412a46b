// The token's embedding: step_embed. Grid [hidden / threads, rounded up]; any number of threads; no shared memory.
#pragma once
#include "common.cuh"

struct Embed {
  const i64 *id, *position;
  const void *table, *learned; // [vocab, hidden]; [positions, hidden] or null
  void *out;                   // [hidden]
  i64 hidden, offset;          // the offset is added to the position
  float scale, unused;
};
static_assert(sizeof(Embed) == 64, "see structs.ts");

// A thread computes one element: table row times scale, rounded to T, plus the position's row.
template <class T> __device__ void embed(const Embed &a) {
  let_next_start();
  wait_for_inputs();
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= a.hidden) return;
  T rounded;
  narrow(widen(((const T *)a.table)[*a.id * a.hidden + i]) * a.scale, rounded);
  float x = widen(rounded);
  if (a.learned) x += widen(((const T *)a.learned)[(*a.position + a.offset) * a.hidden + i]);
  narrow(x, ((T *)a.out)[i]);
}
