// Attention of several tokens of one sequence over a layer's cache, to which their keys and values are appended:
// rows_attend_P.
//
// What step_attend computes, for consecutive tokens: token i attends to the entries before the pass and to tokens 0 to i.
// Each key and value is loaded once for P pairs of a query and a token, in registers at a time. The cache is split in the
// same chunks, which follow from its capacity; a token's chunks end with its own entries. So each token's results have the
// bits of a step's.
//
// Grid and threads as step_attend; pair p = token * group + query. Dynamic shared memory, floats:
//   query    [pairs, headDim]                                     normalized and rotated
//   weights  [pairs, chunk]                                       scores, then exp(score - largest)
//   reduced  [min(pairs, QUERIES_PER_PASS), ATTEND_THREADS, Vec<T>::N]  sums of values, by thread
//   largest  [pairs]                                              largest score
//   total    [pairs]                                              sum of weights
#pragma once
#include "attend.cuh"

struct RowsAttend {
  Attend attend;                           // of token 0; `observed` and `scores` are ignored
  i64 query_token, key_token, value_token; // a token's heads begin so many elements after those of the token before
  i64 tokens;
};
static_assert(sizeof(RowsAttend) == 232, "see structs.ts");

// scores[pairs, chunk], from pair `from` on: as score_keys, P pairs at a time.
template <class T, int P>
__device__ __forceinline__ void score_rows(const Attend &a, const float *query, const T *keys, const float *ranks, int from,
                                           int pairs, int here, int chunk, int n, int vecs, float *scores) {
  const int within = threadIdx.x % THREADS_PER_KEY, half = a.rotary_dim / 2;
#pragma unroll 1
  for (int p0 = from; p0 < pairs; p0 += P) {
#pragma unroll 1
    for (int e0 = threadIdx.x / THREADS_PER_KEY; e0 - (int)threadIdx.x / THREADS_PER_KEY < here;
         e0 += KEY_LOADS * KEYS_PER_ROUND) {
      float sum[KEY_LOADS][P] = {};
#pragma unroll 1
      for (int v = within; v < vecs; v += THREADS_PER_KEY) {
        uint4 loaded[KEY_LOADS];
#pragma unroll
        for (int l = 0; l < KEY_LOADS; l++) {
          loaded[l] = ((const uint4 *)(keys + min(e0 + l * KEYS_PER_ROUND, here - 1) * n))[v];
        }
        float k[KEY_LOADS][Vec<T>::N];
#pragma unroll
        for (int l = 0; l < KEY_LOADS; l++) {
          unpack(loaded[l], k[l], T());
          if (ranks && v * Vec<T>::N < a.rotary_dim) {
            rotate_key<T>(a, keys, ranks, min(e0 + l * KEYS_PER_ROUND, here - 1), n, half, v, k[l]);
          }
        }
#pragma unroll
        for (int g = 0; g < P; g++) {
          if (p0 + g < pairs) {
            const float *q = query + (p0 + g) * n + v * Vec<T>::N;
#pragma unroll
            for (int l = 0; l < KEY_LOADS; l++) {
#pragma unroll
              for (int j = 0; j < Vec<T>::N; j++) sum[l][g] += q[j] * k[l][j];
            }
          }
        }
      }
#pragma unroll
      for (int l = 0; l < KEY_LOADS; l++) {
        const int e = e0 + l * KEYS_PER_ROUND;
#pragma unroll
        for (int g = 0; g < P; g++) {
          if (p0 + g < pairs) {
#pragma unroll
            for (int d = THREADS_PER_KEY / 2; d; d /= 2) sum[l][g] += __shfl_xor_sync(~0u, sum[l][g], d);
            if (within == 0 && e < here) scores[(p0 + g) * chunk + e] = sum[l][g] * a.scale;
          }
        }
      }
    }
  }
}

template <class T, int P> __device__ void attend_rows(const RowsAttend &args) {
  extern __shared__ uint4 shared[];
  const Attend &a = args.attend;
  const int n = a.head_dim, vecs = n / Vec<T>::N, all_queries = a.heads / a.kv_heads, first_query = blockIdx.z * a.queries;
  const int group = min(a.queries, all_queries - first_query), kv = blockIdx.x, head = kv * all_queries + first_query;
  const int chunk = a.chunk, warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
  const int tokens = (int)args.tokens, pairs = group * tokens, reducing = min(pairs, QUERIES_PER_PASS);
  float *query = (float *)shared;
  float *weights = query + pairs * n;
  float *reduced = weights + pairs * chunk;
  float *largest = reduced + reducing * ATTEND_THREADS * Vec<T>::N, *total = largest + pairs;
  // Entries of former passes, counts and positions were written before this pass began.
  const int past = (int)*a.past, first = blockIdx.y * chunk;
  if (first >= past + tokens) return;
  const int here = min(chunk, past + tokens - first);
  T *keys = (T *)a.keys + ((i64)kv * a.capacity + first) * n, *values = (T *)a.values + ((i64)kv * a.capacity + first) * n;
  const float *ranks = a.ranks ? a.ranks + (i64)kv * a.capacity + first : nullptr;
  const i64 position = *a.position;
  // Pairs of tokens before `from` have no entry in this chunk.
  const int from = max(0, first - past) * group;
  prefetch_entries<T>(keys, values, here, n);
  let_next_start();
  wait_for_inputs();

  // Appends the new keys and values of this chunk, as append: one warp each, from the last on. A warp's scratch is a head's
  // length of `reduced`.
  const int writers = min(ATTEND_WARPS, reducing * ATTEND_THREADS * Vec<T>::N / n), writer = ATTEND_WARPS - 1 - warp;
  for (int i = writer; i < tokens && writer < writers; i += writers) {
    const int newest = past + i - first;
    if (newest < 0 || newest >= chunk) continue;
    float *key = reduced + writer * n;
    head_in<T>((const T *)a.key + i * args.key_token + kv * a.key_stride, a.key_scale, a, position + i, a.cosine && !ranks, key);
    const T *value = (const T *)a.value + i * args.value_token + kv * a.value_stride;
    for (int d = lane; d < n; d += WARP) {
      narrow(key[d], keys[newest * n + d]);
      values[newest * n + d] = value[d];
    }
    __syncwarp();
  }
  for (int p = from + warp; p < pairs; p += ATTEND_WARPS) {
    const int i = p / group, g = p % group;
    head_in<T>((const T *)a.query + i * args.query_token + (head + g) * a.query_stride, a.query_scale, a, position + i, a.cosine,
               query + p * n);
  }
  __syncthreads();
  score_rows<T, P>(a, query, keys, ranks, from, pairs, here, chunk, n, vecs, weights);
  __syncthreads();

  // Softmax over the chunk, one warp per pair, over the entries that its token attends to. The others get no weight.
  float *partial = a.partial + (i64)head * tokens * gridDim.y * (n + PARTIAL_FIELDS);
  const i64 per_chunk = (i64)pairs * (n + PARTIAL_FIELDS);
#pragma unroll 1
  for (int p = from + warp; p < pairs; p += ATTEND_WARPS) {
    const int entries = past + 1 + p / group, own = min(chunk, entries - first);
    float *row = weights + p * chunk;
    float most = -INFINITE, sum = 0;
    for (int e = lane; e < own; e += WARP) most = fmaxf(most, row[e]);
    most = warp_max(most);
    for (int e = lane; e < own; e += WARP) {
      const float weight = __expf(row[e] - most);
      row[e] = weight;
      sum += weight;
    }
    sum = warp_sum(sum);
    if (lane == 0) {
      largest[p] = most;
      total[p] = sum;
      if (entries > chunk) {
        float *to = partial + blockIdx.y * per_chunk + p * (n + PARTIAL_FIELDS) + n;
        to[0] = most;
        to[1] = sum;
      }
    }
  }
  __syncthreads();

  // Values. A thread has one load of headDim and every `parts`-th entry; THREADS_PER_KEY threads then add up an element.
  const int parts = ATTEND_THREADS / vecs, part = threadIdx.x / vecs, v = threadIdx.x % vecs;
  const int within = threadIdx.x % THREADS_PER_KEY;
#pragma unroll 1
  for (int p0 = from; p0 < pairs; p0 += P) {
    float sum[P][Vec<T>::N] = {};
    if (part < parts) {
      int own[P]; // entries of this chunk that the pair's token attends to
#pragma unroll
      for (int g = 0; g < P; g++) own[g] = p0 + g < pairs ? min(chunk, past + 1 + (p0 + g) / group - first) : 0;
#pragma unroll 1
      for (int e0 = part; e0 < here; e0 += VALUE_LOADS * parts) {
        uint4 loaded[VALUE_LOADS];
#pragma unroll
        for (int l = 0; l < VALUE_LOADS; l++) loaded[l] = ((const uint4 *)(values + min(e0 + l * parts, here - 1) * n))[v];
#pragma unroll
        for (int l = 0; l < VALUE_LOADS; l++) {
          float x[Vec<T>::N];
          unpack(loaded[l], x, T());
          const int e = e0 + l * parts;
#pragma unroll
          for (int g = 0; g < P; g++) {
            if (e < own[g]) {
              const float weight = weights[(p0 + g) * chunk + e];
#pragma unroll
              for (int j = 0; j < Vec<T>::N; j++) sum[g][j] += weight * x[j];
            }
          }
        }
      }
    }
#pragma unroll
    for (int g0 = 0; g0 < P; g0 += QUERIES_PER_PASS) {
      const int queries = min(pairs - p0 - g0, QUERIES_PER_PASS);
      if (queries <= 0) break;
      if (part < parts) {
#pragma unroll
        for (int g = 0; g < QUERIES_PER_PASS; g++) {
          if (g < queries) {
#pragma unroll
            for (int j = 0; j < Vec<T>::N; j++) {
              reduced[g * ATTEND_THREADS * Vec<T>::N + part * n + v * Vec<T>::N + j] = sum[g0 + g][j];
            }
          }
        }
      }
      __syncthreads();
      for (int i0 = 0; i0 < queries * n; i0 += KEYS_PER_ROUND) {
        const int i = i0 + threadIdx.x / THREADS_PER_KEY, g = i / n, d = i % n;
        const float all = sum_parts<T>(reduced, n, g, d, within, parts, i < queries * n);
        if (within == 0 && i < queries * n) {
          const int p = p0 + g0 + g, token = p / group;
          if (past + 1 + token <= chunk) {
            narrow(all / total[p], ((T *)a.out)[((i64)token * a.heads + head + p % group) * n + d]);
          } else {
            partial[blockIdx.y * per_chunk + p * (n + PARTIAL_FIELDS) + d] = all;
          }
        }
      }
      __syncthreads();
    }
  }

  // The last block of a head combines all chunks, each rescaled to the largest score of all. A token whose entries fill one
  // chunk only was written above.
  const int most_chunks = (past + tokens + chunk - 1) / chunk;
  if (most_chunks == 1) return;
  if (!is_last_block(a.counters + kv * gridDim.z + blockIdx.z, most_chunks)) return;
  const int first_pair = max(0, chunk - past) * group;
  for (int p = first_pair + warp; p < pairs; p += ATTEND_WARPS) {
    const int chunks = (past + p / group + chunk) / chunk;
    const float most = largest_of_chunks(partial, chunks, per_chunk, n, p, lane);
    float sum = 0;
    for (int c = lane; c < chunks; c += WARP) {
      const float *from = partial + c * per_chunk + p * (n + PARTIAL_FIELDS) + n;
      sum += __expf(__ldcg(from) - most) * __ldcg(from + 1);
    }
    sum = warp_sum(sum);
    if (lane == 0) {
      largest[p] = most;
      total[p] = sum;
    }
  }
  __syncthreads();
  for (int i = first_pair * n + threadIdx.x; i < pairs * n; i += ATTEND_THREADS) {
    const int p = i / n, d = i % n, token = p / group, chunks = (past + token + chunk) / chunk;
    float sum = 0;
#pragma unroll 4
    for (int c = 0; c < chunks; c++) {
      const float *from = partial + c * per_chunk + p * (n + PARTIAL_FIELDS);
      sum += __expf(__ldcg(from + n) - largest[p]) * __ldcg(from + d);
    }
    narrow(sum / total[p], ((T *)a.out)[((i64)token * a.heads + head + p % group) * n + d]);
  }
}
