// Eviction: one entry of each row is dropped, and the newest takes its slot. step_drop, and step_drop_mean for scores
// with DOT_MEAN.
//
// Grid [rows]; a row is one KV head of one layer. Dynamic shared memory, floats:
//   paid   [width]                         attention paid to each slot
//   stack  [depth, width]                  the program's arrays
//   parts  [DROP_THREADS / WARP, headDim]  with DOT_MEAN: scratch of a sum
//   sums   [means, headDim]                with DOT_MEAN: the sums
#pragma once
#include "drop_mean.cuh"
#include "drop_program.cuh"

// Minimum blocks per multiprocessor: they bound the registers of a thread. DOT_MEAN needs more registers to read
// vectors.
constexpr int DROP_BLOCKS_PER_SM = 8;
constexpr int DROP_MEAN_BLOCKS_PER_SM = 4;

// ---- Arguments: see structs.ts --------------------------------------------------------------------------------------

// Arrays of [rows, width] are by slot. Arrays of features are null if the method does not use them.
struct Drop {
  void *keys, *values;   // [slots, headDim], all rows' slots
  const i64 *starts;     // [rows]: first slot of each row
  float *rank;           // [rows, width]: rank of the entry in text order
  float *key_norm;       // [rows, width]
  float *text_position;  // [rows, width]: position of the entry's token in the text
  float *attention;      // [rows, width]: sum over all queries; or [rows, window, width]: one of [width] per query
  const float *observed; // [rows, width]: attention of this step's query
  const float *drop_ranges; // [4, layers]: newest's slot; middle's first rank, one past its last; entries before this pass
  const i64 *ring_index; // where the window keeps the attention of this step's query: it is a ring over its queries
  const i64 *draw;       // for RANDOM
  const float *text_index; // position in the text of this pass's first token
  float *sums;           // [rows, means, headDim + SUM_FIELDS]: a sum for each DOT_MEAN of the program, or null
  int kv_heads, head_dim, width, layers, window, share_layer, count, depth, means;
  Instruction program[MAX_INSTRUCTIONS];
};
static_assert(sizeof(Drop) == 400, "see structs.ts");

// ---- Before the choice ----------------------------------------------------------------------------------------------

// Brings a row's vectors of former steps into L2, for DOT_MEAN.
__device__ __forceinline__ void prefetch_vectors(const u8 *vectors, int bytes) {
  for (int i = threadIdx.x * CACHE_LINE; i < bytes; i += DROP_THREADS * CACHE_LINE) prefetch(vectors + i);
}

// Norm of the newest key, in slot `last`. All threads get it.
template <class T> __device__ __forceinline__ float norm_of(const T *keys, int last, int n, float *scratch) {
  float squares = 0;
  for (int i = threadIdx.x; i < n; i += DROP_THREADS) squares += widen(keys[last * n + i]) * widen(keys[last * n + i]);
  return sqrtf(block_reduce<false>(squares, scratch));
}

// Attention that this step's query pays to a slot: the row's own, or the mean over the layer's rows.
__device__ __forceinline__ float attention_now(const Drop &a, int row, int layer, int width, int slot) {
  if (!a.share_layer) return a.observed[(i64)row * width + slot];
  float now = 0;
#pragma unroll 8
  for (int h = 0; h < a.kv_heads; h++) now += a.observed[(i64)(layer * a.kv_heads + h) * width + slot];
  return now / a.kv_heads;
}

// Sum over a window of the attention paid to a slot, without the query at `ring_index`, plus `sum`.
__device__ __forceinline__ float window_sum(const Drop &a, const float *kept, int width, int slot, int ring_index,
                                            float sum) {
#pragma unroll 16
  for (int w = 0; w < a.window; w++) sum += w == ring_index ? 0.f : kept[(i64)w * width + slot];
  return sum;
}

// ---- The exchange ---------------------------------------------------------------------------------------------------

// Copies load i of the newest entry, of its key and then of its value, into a slot.
template <class T> __device__ __forceinline__ void copy_load(T *keys, T *values, int i, int vecs, int slot, int last) {
  uint4 *x = (uint4 *)(i < vecs ? keys : values);
  const int j = i < vecs ? i : i - vecs;
  x[slot * vecs + j] = x[last * vecs + j];
}

// ---- Kernel ---------------------------------------------------------------------------------------------------------

// Some instructions, the choice and most of the exchange are blocks of this function, not functions: as functions, nvcc
// 13.0 makes other PTX of them. Measure again after splitting them.
template <class T, bool MEAN> __device__ void drop(const Drop &a) {
  extern __shared__ uint4 shared[];
  __shared__ float scratch[WARP];
  __shared__ int chosen, spot;
  __shared__ float newest_norm;
  float *paid = (float *)shared, *stack = paid + a.width;
  const int row = blockIdx.x, layer = row / a.kv_heads, t = threadIdx.x, width = a.width, n = a.head_dim;
  if (MEAN) {
    const u8 *vectors = (const u8 *)((T *)a.keys + a.starts[row] * n);
    const int bytes = (int)a.drop_ranges[layer] * n * (int)sizeof(T);
    prefetch_vectors(vectors, bytes);
  }
  let_next_start();
  wait_for_inputs();
  const int last = (int)a.drop_ranges[layer], sink = (int)a.drop_ranges[a.layers + layer],
            end = (int)a.drop_ranges[2 * a.layers + layer], past = (int)a.drop_ranges[3 * a.layers + layer];
  const int entries = last + 1;
  float *rank = a.rank + (i64)row * width;
  T *keys = (T *)a.keys + a.starts[row] * n, *values = (T *)a.values + a.starts[row] * n;
  if (t == 0) {
    chosen = -1;
    spot = last;
  }
  // The newest key's norm.
  float *norms = a.key_norm ? a.key_norm + (i64)row * width : nullptr;
  if (norms) {
    const float norm = norm_of<T>(keys, last, n, scratch);
    if (t == 0) newest_norm = norm;
  }
  // paid[slot] = attention over all queries, or over those in the window. Entries from slot `past` on were paid by this step's
  // query alone. This query's part of a window is written.
  const int ring_index = a.ring_index ? (int)*a.ring_index : 0;
  float *kept = a.attention ? a.attention + (i64)row * width * max(a.window, 1) : nullptr;
  for (int slot = t; kept && slot < entries; slot += DROP_THREADS) {
    const float now = attention_now(a, row, layer, width, slot);
    if (!a.window) {
      paid[slot] = slot >= past ? now : kept[slot] + now;
    } else {
      float sum = now;
      if (slot < past) sum = window_sum(a, kept, width, slot, ring_index, sum);
      kept[(i64)ring_index * width + slot] = now;
      paid[slot] = sum;
    }
  }
  __syncthreads();

  // The program. Each instruction ends at a barrier.
  int top = -1, means = 0;
  float *parts = stack + a.depth * width;
  for (int pc = 0; pc < a.count; pc++) {
    const int op = a.program[pc].op;
    const float number = a.program[pc].number;
    if (op <= CONSTANT) {
      float *x = stack + ++top * width;
      push_feature(a.draw, op, number, row, last, entries, rank, norms, &newest_norm, paid, x);
    } else if (op == OVER_DIM) {
      over_dim<T>((int)number & OF_VALUES ? values : keys, entries, n, rank, (int)number, stack + ++top * width);
    } else if (MEAN && op == DOT_MEAN) {
      const T *vectors = (int)number & OF_VALUES ? values : keys;
      const bool direction = (int)number & DIRECTION;
      float *state = a.sums + ((i64)row * a.means + means) * (n + SUM_FIELDS), *sum = parts + (DROP_THREADS / WARP + means) * n;
      sum_up<T>(vectors, entries, n, rank, sink, end, direction, state, parts, sum);
      dot_mean<T>(vectors, entries, n, rank, end - sink, direction, sum, stack + ++top * width);
      means++;
    } else if (op <= LOG) {
      apply(op, entries, stack + top * width);
    } else if (op <= NORM_OVER) {
      float *x = stack + top * width, sum = op == MAX_OVER ? -INFINITE : 0;
      for (int i = sink + t; i < end; i += DROP_THREADS) {
        if (op == MAX_OVER) sum = fmaxf(sum, x[i]);
        else sum += op == NORM_OVER ? x[i] * x[i] : x[i];
      }
      sum = reduce_middle(op, sum, sink, end, scratch);
      for (int i = t; i < entries; i += DROP_THREADS) x[i] = sum;
    } else if (op <= MAX_POOL) {
      const int kernel = (int)number, before = (kernel - 1) / 2;
      float *x = stack + top * width, *y = x + width;
      if (end - sink >= kernel) { // a shorter middle is not pooled
        for (int i = sink + t; i < end; i += DROP_THREADS) {
          float sum = op == MAX_POOL ? -INFINITE : 0;
          for (int k = 0; k < kernel; k++) {
            const int j = i - before + k;
            if (j < sink || j >= end) continue;
            sum = op == MAX_POOL ? fmaxf(sum, x[j]) : sum + x[j];
          }
          y[i] = op == AVG_POOL ? sum / kernel : sum;
        }
        __syncthreads();
        for (int i = sink + t; i < end; i += DROP_THREADS) x[i] = y[i];
      }
    } else {
      float *x = stack + --top * width;
      const float *y = x + width;
      for (int i = t; i < entries; i += DROP_THREADS) {
        x[i] = op == ADD ? x[i] + y[i] : op == SUB ? x[i] - y[i] : op == MUL ? x[i] * y[i] : x[i] / y[i];
      }
    }
    __syncthreads();
  }

  // The choice, a rank: the lowest score; among equals the last in text order. If no score is a number, the oldest.
  int dropped = sink;
  if (a.count > 0) {
    float lowest = INFINITE;
    for (int i = sink + t; i < end; i += DROP_THREADS) lowest = fminf(lowest, stack[i]); // skips NaN
    lowest = -block_reduce<true>(-lowest, scratch);
    int mine = -1;
    for (int i = sink + t; i < end; i += DROP_THREADS) {
      if (stack[i] == lowest) mine = i;
    }
    if (mine >= 0) atomicMax(&chosen, mine);
    __syncthreads();
    dropped = max(chosen, sink);
  }
  for (int slot = t; slot < entries; slot += DROP_THREADS) {
    if ((int)rank[slot] == dropped) spot = slot;
  }
  __syncthreads();

  // The exchange: the newest entry takes the slot `freed`, with its features.
  const int freed = spot;

  if (MEAN) {
    for (int pc = 0, which = 0; pc < a.count; pc++) {
      if (a.program[pc].op != DOT_MEAN) continue;
      const int bits = (int)a.program[pc].number;
      keep_sum<T>((bits & OF_VALUES ? values : keys) + (i64)freed * n, n, sink, end, bits & DIRECTION,
                  parts + (DROP_THREADS / WARP + which) * n, a.sums + ((i64)row * a.means + which) * (n + SUM_FIELDS));
      which++;
    }
    __syncthreads();
  }
  const int vecs = n / Vec<T>::N;
  for (int i = t; i < 2 * vecs && freed != last; i += DROP_THREADS) copy_load<T>(keys, values, i, vecs, freed, last);
  if (t == 0) {
    if (norms) norms[freed] = norms[last] = newest_norm;
  }
  if (a.text_position) {
    float *text_positions = a.text_position + (i64)row * width;
    // Slots filled in this pass hold consecutive tokens of the text.
    if (t == 0) text_positions[freed] = text_positions[last] = last + (*a.text_index - past);
  }
  if (kept && !a.window) {
    for (int slot = t; slot < entries; slot += DROP_THREADS) kept[slot] = slot == freed ? paid[last] : paid[slot];
  }
  if (kept && a.window) {
    // The newest entry was paid by this step's query alone. Its old slot is free for the next.
    const float now = paid[last];
    for (int w = t; w < a.window; w += DROP_THREADS) {
      const float value = w == ring_index ? now : 0.f;
      kept[(i64)w * width + freed] = value;
      kept[(i64)w * width + last] = value;
    }
  }
  // Ranks: those after the dropped entry move up by one, the newest is next to last, and its old slot is last.
  for (int slot = t; slot < entries; slot += DROP_THREADS) {
    const float r = rank[slot];
    if (slot == last) rank[slot] = last;
    else if (slot == freed) rank[slot] = last - 1;
    else if (r > dropped && r < last) rank[slot] = r - 1;
  }
}
