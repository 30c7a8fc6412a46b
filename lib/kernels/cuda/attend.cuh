// One token's attention over a layer's cache, to which its key and value are appended: step_attend.
//
// Grid [kvHeads, chunks, query groups]. A block takes `queries` of the queries that share a KV head, and `chunk` of
// that head's entries. If the entries fill more than one chunk, the last block to finish combines all results (Dao
// 2023, "Flash-Decoding"). Blocks whose chunk is past the last entry return at once: the grid is sized for the
// capacity, because a captured graph is replayed with every count.
//
// Dynamic shared memory, floats, with group = queries of the block:
//   query    [group, headDim]                                     normalized and rotated
//   weights  [group, chunk]                                       scores, then exp(score - largest)
//   reduced  [min(group, QUERIES_PER_PASS), ATTEND_THREADS, Vec<T>::N]  sums of values, by thread
//   largest  [group]                                              largest score
//   total    [group]                                              sum of weights
#pragma once
#include "common.cuh"

constexpr int ATTEND_THREADS = 256;
constexpr int ATTEND_WARPS = ATTEND_THREADS / WARP;
// Queries that are held in registers at a time. Every key and value is loaded once for each pass.
constexpr int QUERIES_PER_PASS = 2;
// Threads that share the product of a query and a key: their loads are neighbours.
constexpr int THREADS_PER_KEY = 8;
constexpr int KEYS_PER_ROUND = ATTEND_THREADS / THREADS_PER_KEY;
// Loads of keys and of values that a thread has in flight.
constexpr int KEY_LOADS = 4;
constexpr int VALUE_LOADS = 3;
// Numbers that a block passes on for a query in addition to its sum of values: largest score, sum of weights.
constexpr int PARTIAL_FIELDS = 2;

// ---- Arguments: see structs.ts --------------------------------------------------------------------------------------

struct Attend {
  const void *query, *key, *value; // of the new token; head h begins at h times the stride
  i64 query_stride, key_stride, value_stride;
  const void *query_scale, *key_scale; // RMS norm of each head's, [headDim], or null
  void *keys, *values;                 // [kvHeads, capacity, headDim]
  const float *cosine, *sine;          // [positions, rotaryDim / 2], or null
  const i64 *position;                 // of the new token
  const float *ranks;                  // [kvHeads, capacity]: rotates keys to these positions when it reads them; or null
  const i64 *past;                     // entries before this token
  float *partial;                      // [heads, chunks, headDim + PARTIAL_FIELDS], by block
  float *scores;                       // [heads, capacity], or null
  float *observed;                     // [kvHeads, capacity]: mean probability over a KV head's queries, or null
  u32 *counters;                       // [heads], zero
  void *out;                           // [heads * headDim]
  int heads, kv_heads, head_dim, capacity, rotary_dim, plus_one, chunk;
  int queries; // of a KV head that a block takes: all of them if attention is observed
  float scale, eps;
};
static_assert(sizeof(Attend) == 200, "see structs.ts");

// The parts of attend<T> take pointers to a block's share as plain arguments: `keys`, `values` [here, headDim] and `ranks`
// [here] begin at the block's first entry. `head` is its first query head, `n` is headDim, `vecs` the loads of one vector.

// ---- Entries of former steps ----------------------------------------------------------------------------------------

// Brings them into L2. It runs before the wait for inputs: they were written before this step.
template <class T> __device__ __forceinline__ void prefetch_entries(const T *keys, const T *values, int here, int n) {
  for (int i = threadIdx.x * CACHE_LINE; i < here * n * (int)sizeof(T); i += ATTEND_THREADS * CACHE_LINE) {
    prefetch((const u8 *)keys + i);
    prefetch((const u8 *)values + i);
  }
}

// ---- Queries, and the new entry -------------------------------------------------------------------------------------

// Reads one head, x[headDim], into shared memory as float; normalizes and rotates it. Called by one warp.
template <class T>
__device__ void head_in(const T *x, const void *norm, const Attend &a, i64 position, bool rotate, float *out) {
  const int lane = threadIdx.x % WARP, n = a.head_dim;
  float squares = 0;
  for (int i = lane; i < n; i += WARP) {
    out[i] = widen(x[i]);
    squares += out[i] * out[i];
  }
  __syncwarp();
  if (norm) {
    const float inverse = rsqrtf(warp_sum(squares) / n + a.eps);
    for (int i = lane; i < n; i += WARP) {
      const float by = at<T>(norm, i);
      out[i] *= inverse * (a.plus_one ? by + 1.f : by);
    }
    __syncwarp();
  }
  if (!rotate) return;
  const int half = a.rotary_dim / 2;
  for (int i = lane; i < half; i += WARP) {
    const float c = a.cosine[position * half + i], s = a.sine[position * half + i];
    const float u = out[i], v = out[i + half];
    out[i] = u * c - v * s;
    out[i + half] = v * c + u * s;
  }
  __syncwarp();
}

// Appends the new key and value, by the last warp, which has the fewest queries. `newest` is their index in the chunk. Blocks
// of the same KV head write the same bytes. Keys that are rotated when they are read are stored unrotated. `key`: scratch.
template <class T>
__device__ __forceinline__ void append(const Attend &a, int kv, int newest, int chunk, int n, int warp, int lane, i64 position,
                                       const float *ranks, T *keys, T *values, float *key) {
  if (newest < chunk && warp == ATTEND_WARPS - 1) {
    head_in<T>((const T *)a.key + kv * a.key_stride, a.key_scale, a, position, a.cosine && !ranks, key);
    const T *value = (const T *)a.value + kv * a.value_stride;
    for (int i = lane; i < n; i += WARP) {
      narrow(key[i], keys[newest * n + i]);
      values[newest * n + i] = value[i];
    }
  }
}

// query[group, headDim] = the block's queries, one warp each.
template <class T>
__device__ __forceinline__ void read_queries(const Attend &a, int head, int group, int n, int warp, i64 position,
                                             float *query) {
  for (int g = warp; g < group; g += ATTEND_WARPS) {
    head_in<T>((const T *)a.query + (head + g) * a.query_stride, a.query_scale, a, position, a.cosine, query + g * n);
  }
}

// ---- Scores ---------------------------------------------------------------------------------------------------------

// Rotates load v of entry e's key, which is in `k`, to the entry's rank.
template <class T>
__device__ __forceinline__ void rotate_key(const Attend &a, const T *keys, const float *ranks, int e, int n, int half, int v,
                                           float *k) {
  const i64 rank = (i64)ranks[e];
#pragma unroll
  for (int j = 0; j < Vec<T>::N; j++) {
    const int d = v * Vec<T>::N + j, i = d < half ? d : d - half;
    if (d >= a.rotary_dim) continue;
    const float c = a.cosine[rank * half + i], s = a.sine[rank * half + i];
    k[j] = d < half ? k[j] * c - widen(keys[e * n + d + half]) * s : k[j] * c + widen(keys[e * n + i]) * s;
  }
}

// scores[group, chunk] = query times key times scale. THREADS_PER_KEY threads share a product. A thread loads KEY_LOADS keys
// at a time and multiplies each by QUERIES_PER_PASS queries, so that all those loads are in flight at once.
template <class T>
__device__ __forceinline__ void score_keys(const Attend &a, const float *query, const T *keys, const float *ranks, int group,
                                           int here, int chunk, int n, int vecs, float *scores) {
  const int within = threadIdx.x % THREADS_PER_KEY, half = a.rotary_dim / 2;
#pragma unroll 1
  for (int g0 = 0; g0 < group; g0 += QUERIES_PER_PASS) {
#pragma unroll 1
    for (int e0 = threadIdx.x / THREADS_PER_KEY; e0 - (int)threadIdx.x / THREADS_PER_KEY < here;
         e0 += KEY_LOADS * KEYS_PER_ROUND) {
      float sum[KEY_LOADS][QUERIES_PER_PASS] = {};
#pragma unroll 1
      for (int v = within; v < vecs; v += THREADS_PER_KEY) {
        uint4 loaded[KEY_LOADS];
#pragma unroll
        for (int l = 0; l < KEY_LOADS; l++) {
          loaded[l] = ((const uint4 *)(keys + min(e0 + l * KEYS_PER_ROUND, here - 1) * n))[v];
        }
#pragma unroll
        for (int l = 0; l < KEY_LOADS; l++) {
          float k[Vec<T>::N];
          unpack(loaded[l], k, T());
          if (ranks && v * Vec<T>::N < a.rotary_dim) {
            rotate_key<T>(a, keys, ranks, min(e0 + l * KEYS_PER_ROUND, here - 1), n, half, v, k);
          }
#pragma unroll
          for (int g = 0; g < QUERIES_PER_PASS; g++) {
            if (g0 + g < group) {
              const float *q = query + (g0 + g) * n + v * Vec<T>::N;
#pragma unroll
              for (int j = 0; j < Vec<T>::N; j++) sum[l][g] += q[j] * k[j];
            }
          }
        }
      }
#pragma unroll
      for (int l = 0; l < KEY_LOADS; l++) {
        const int e = e0 + l * KEYS_PER_ROUND;
#pragma unroll
        for (int g = 0; g < QUERIES_PER_PASS; g++) {
          if (g0 + g < group) {
#pragma unroll
            for (int d = THREADS_PER_KEY / 2; d; d /= 2) sum[l][g] += __shfl_xor_sync(~0u, sum[l][g], d);
            if (within == 0 && e < here) scores[(g0 + g) * chunk + e] = sum[l][g] * a.scale;
          }
        }
      }
    }
  }
}

// ---- Values ---------------------------------------------------------------------------------------------------------

// sum[queries] += weight times one load of entry e's value.
template <class T>
__device__ __forceinline__ void add_value(uint4 loaded, const float *weights, int chunk, int e, int here, int g0, int queries,
                                          float (&sum)[QUERIES_PER_PASS][Vec<T>::N]) {
  float x[Vec<T>::N];
  unpack(loaded, x, T());
#pragma unroll
  for (int g = 0; g < QUERIES_PER_PASS; g++) {
    if (g < queries) {
      const float weight = e < here ? weights[(g0 + g) * chunk + e] : 0.f;
#pragma unroll
      for (int j = 0; j < Vec<T>::N; j++) sum[g][j] += weight * x[j];
    }
  }
}

// reduced[queries, part, headDim] = the sums of a thread, which has load v of part `part` of the entries.
template <class T>
__device__ __forceinline__ void store_part(const float (&sum)[QUERIES_PER_PASS][Vec<T>::N], int n, int queries, int part, int v,
                                           float *reduced) {
#pragma unroll
  for (int g = 0; g < QUERIES_PER_PASS; g++) {
    if (g < queries) {
#pragma unroll
      for (int j = 0; j < Vec<T>::N; j++) {
        reduced[g * ATTEND_THREADS * Vec<T>::N + part * n + v * Vec<T>::N + j] = sum[g][j];
      }
    }
  }
}

// Sum of the parts of element d of query g, by THREADS_PER_KEY threads; 0 if the element is not `valid`.
template <class T>
__device__ __forceinline__ float sum_parts(const float *reduced, int n, int g, int d, int within, int parts, bool valid) {
  float sum = 0;
  if (valid) {
    for (int q = within; q < parts; q += THREADS_PER_KEY) sum += reduced[g * ATTEND_THREADS * Vec<T>::N + q * n + d];
  }
#pragma unroll
  for (int l = THREADS_PER_KEY / 2; l; l /= 2) sum += __shfl_xor_sync(~0u, sum, l);
  return sum;
}

// ---- All chunks -----------------------------------------------------------------------------------------------------

// Largest score of query g over all chunks, by a warp.
__device__ __forceinline__ float largest_of_chunks(const float *all, int chunks, i64 stride, int n, int g, int lane) {
  float most = -INFINITE;
  for (int c = lane; c < chunks; c += WARP) most = fmaxf(most, __ldcg(all + c * stride + g * (n + PARTIAL_FIELDS) + n));
  return warp_max(most);
}

// ---- Kernel ---------------------------------------------------------------------------------------------------------

// Softmax, the combination of chunks and `observed` are blocks of this function, not functions: as functions, nvcc 13.0
// makes other PTX of them. Measure again after splitting them.
template <class T> __device__ void attend(const Attend &a) {
  extern __shared__ uint4 shared[];
  const int n = a.head_dim, vecs = n / Vec<T>::N, all_queries = a.heads / a.kv_heads, first_query = blockIdx.z * a.queries;
  const int group = min(a.queries, all_queries - first_query), kv = blockIdx.x, head = kv * all_queries + first_query;
  const int chunk = a.chunk, warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
  float *query = (float *)shared;
  float *weights = query + group * n;
  float *reduced = weights + group * chunk;
  // Entries of former steps, counts and positions were written before this step began.
  const int past = (int)*a.past, entries = past + 1, first = blockIdx.y * chunk;
  if (first >= entries) return;
  const int chunks = (entries + chunk - 1) / chunk, here = min(chunk, entries - first);
  T *keys = (T *)a.keys + ((i64)kv * a.capacity + first) * n, *values = (T *)a.values + ((i64)kv * a.capacity + first) * n;
  const float *ranks = a.ranks ? a.ranks + (i64)kv * a.capacity + first : nullptr;
  const i64 position = *a.position;
  prefetch_entries<T>(keys, values, here, n);
  let_next_start();
  wait_for_inputs();

  append<T>(a, kv, past - first, chunk, n, warp, lane, position, ranks, keys, values, reduced);
  read_queries<T>(a, head, group, n, warp, position, query);
  __syncthreads();
  score_keys<T>(a, query, keys, ranks, group, here, chunk, n, vecs, weights);
  __syncthreads();

  // Softmax over the chunk, one warp per query. With one chunk this is the whole softmax; otherwise the last block
  // combines all chunks.
  float *largest = reduced + min(group, QUERIES_PER_PASS) * ATTEND_THREADS * Vec<T>::N, *total = largest + group;
  float *partial = a.partial + ((i64)head * gridDim.y + (i64)blockIdx.y * group) * (n + PARTIAL_FIELDS);
#pragma unroll 1
  for (int g = warp; g < group; g += ATTEND_WARPS) {
    float *row = weights + g * chunk;
    float most = -INFINITE, sum = 0;
    for (int e = lane; e < here; e += WARP) most = fmaxf(most, row[e]);
    most = warp_max(most);
    for (int e = lane; e < here; e += WARP) {
      const float score = row[e], weight = __expf(score - most);
      if (a.scores) a.scores[(i64)(head + g) * a.capacity + first + e] = score;
      row[e] = weight;
      sum += weight;
    }
    sum = warp_sum(sum);
    if (lane == 0) {
      largest[g] = most;
      total[g] = sum;
      if (chunks > 1) {
        partial[g * (n + PARTIAL_FIELDS) + n] = most;
        partial[g * (n + PARTIAL_FIELDS) + n + 1] = sum;
      }
    }
  }
  __syncthreads();

  // Values. A thread has one load of headDim and every `parts`-th entry; THREADS_PER_KEY threads then add up an element.
  const int parts = ATTEND_THREADS / vecs, part = threadIdx.x / vecs, v = threadIdx.x % vecs;
  const int within = threadIdx.x % THREADS_PER_KEY;
#pragma unroll 1
  for (int g0 = 0; g0 < group; g0 += QUERIES_PER_PASS) {
    const int queries = min(group - g0, QUERIES_PER_PASS);
    if (part < parts) {
      float sum[QUERIES_PER_PASS][Vec<T>::N] = {};
#pragma unroll 1
      for (int e0 = part; e0 < here; e0 += VALUE_LOADS * parts) {
        uint4 loaded[VALUE_LOADS];
#pragma unroll
        for (int l = 0; l < VALUE_LOADS; l++) loaded[l] = ((const uint4 *)(values + min(e0 + l * parts, here - 1) * n))[v];
#pragma unroll
        for (int l = 0; l < VALUE_LOADS; l++) add_value<T>(loaded[l], weights, chunk, e0 + l * parts, here, g0, queries, sum);
      }
      store_part<T>(sum, n, queries, part, v, reduced);
    }
    __syncthreads();
    for (int i0 = 0; i0 < queries * n; i0 += KEYS_PER_ROUND) {
      const int i = i0 + threadIdx.x / THREADS_PER_KEY, g = i / n, d = i % n;
      const float sum = sum_parts<T>(reduced, n, g, d, within, parts, i < queries * n);
      if (within == 0 && i < queries * n) {
        if (chunks == 1) narrow(sum / total[g0 + g], ((T *)a.out)[(head + g0 + g) * n + d]);
        else partial[(g0 + g) * (n + PARTIAL_FIELDS) + d] = sum;
      }
    }
    __syncthreads();
  }

  // The last block of a head combines all chunks, each rescaled to the largest score of all. `largest` and `total` are then
  // those of the whole softmax.
  if (chunks > 1 && !is_last_block(a.counters + kv * gridDim.z + blockIdx.z, chunks)) return;
  const float *all = a.partial + (i64)head * gridDim.y * (n + PARTIAL_FIELDS);
  const i64 stride = (i64)group * (n + PARTIAL_FIELDS);
  if (chunks > 1) {
    for (int g = warp; g < group; g += ATTEND_WARPS) {
      const float most = largest_of_chunks(all, chunks, stride, n, g, lane);
      float sum = 0;
      for (int c = lane; c < chunks; c += WARP) {
        const float *from = all + c * stride + g * (n + PARTIAL_FIELDS) + n;
        sum += __expf(__ldcg(from) - most) * __ldcg(from + 1);
      }
      sum = warp_sum(sum);
      if (lane == 0) {
        largest[g] = most;
        total[g] = sum;
      }
    }
    __syncthreads();
    for (int i = threadIdx.x; i < group * n; i += ATTEND_THREADS) {
      const int g = i / n, d = i % n;
      float sum = 0;
#pragma unroll 4
      for (int c = 0; c < chunks; c++) {
        const float *from = all + c * stride + g * (n + PARTIAL_FIELDS);
        sum += __expf(__ldcg(from + n) - largest[g]) * __ldcg(from + d);
      }
      narrow(sum / total[g], ((T *)a.out)[(head + g) * n + d]);
    }
  }
  if (!a.observed) return;

  // The mean probability of each entry over the KV head's queries, all of which the block has, for eviction.
  for (int e = threadIdx.x; e < entries; e += ATTEND_THREADS) {
    float sum = 0;
    for (int g = 0; g < group; g++) {
      sum += __expf(__ldcg(a.scores + (i64)(head + g) * a.capacity + e) - largest[g]) / total[g];
    }
    a.observed[(i64)kv * a.capacity + e] = sum / group;
  }
}
