// Attention of several tokens of one sequence over a layer's cache, to which their keys and values are appended:
// rows_attend_P.
//
// What step_attend computes, for consecutive tokens: token i attends to the entries before the pass and to tokens 0 to i.
// Each key and value is loaded and converted once for P pairs of a query and a token, whose sums are in registers. The cache
// is split in the same chunks, which follow from its capacity; a token's chunks end with its own entries. Who adds what, and
// in which order, is as in step_attend. So each token's results have the bits of a step's.
//
// Grid and threads as step_attend; pair p = token * group + query. Dynamic shared memory, floats:
//   query    [pairs, headDim]                                     normalized and rotated, in the order of query_place
//   weights  [pairs, chunk + LINE_GAP]                            scores, then exp(score - largest)
//   reduced  [min(pairs, PAIRS_PER_SUM), ATTEND_THREADS, Vec<T>::N]  sums of values, by thread
//   largest  [pairs]                                              largest score
//   total    [pairs]                                              sum of weights
#pragma once
#include "attend.cuh"
#include "rows_sums.cuh"

// Pairs whose sums of values are in shared memory at a time.
constexpr int PAIRS_PER_SUM = 4;
// Floats between the weights of two pairs: those of one entry then lie in different banks.
constexpr int LINE_GAP = 4;
// Floats of a load from shared memory.
constexpr int FLOATS_PER_LOAD = LOAD_BYTES / 4;

struct RowsAttend {
  Attend attend;                           // of token 0; `observed` and `scores` are ignored
  i64 query_token, key_token, value_token; // a token's heads begin so many elements after those of the token before
  i64 tokens;
};
static_assert(sizeof(RowsAttend) == 232, "see structs.ts");

// ---- Queries --------------------------------------------------------------------------------------------------------

// Where element d of a query is: first the first FLOATS_PER_LOAD floats of all its loads, then the next. Threads that share a
// key read neighbouring floats.
template <class T> __device__ __forceinline__ int query_place(int d, int n) {
  const int v = d / Vec<T>::N, j = d % Vec<T>::N;
  return j / FLOATS_PER_LOAD * (n * FLOATS_PER_LOAD / Vec<T>::N) + v * FLOATS_PER_LOAD + j % FLOATS_PER_LOAD;
}

// Load v of a query.
template <class T> __device__ __forceinline__ void read_query(const float *query, int v, int n, float (&q)[Vec<T>::N]) {
#pragma unroll
  for (int j = 0; j < Vec<T>::N; j += FLOATS_PER_LOAD) {
    unpack(*(const uint4 *)(query + query_place<T>(v * Vec<T>::N + j, n)), q + j, float());
  }
}

// ---- Scores ---------------------------------------------------------------------------------------------------------

// scores[pairs, line], from pair `from` on: as score_keys, P pairs at a time. Pairs past the last one repeat it, and are not
// written: without branches, all loads of queries are in flight at once.
template <class T, int P>
__device__ __forceinline__ void score_rows(const Attend &a, const float *query, const T *keys, const float *ranks, int from,
                                           int pairs, int here, int line, int n, int vecs, float *scores) {
  const int within = threadIdx.x % THREADS_PER_KEY, half = a.rotary_dim / 2;
  const int SHARING = THREADS_PER_KEY / P; // threads with the same sum, of which the first writes it
  static_assert(P <= THREADS_PER_KEY, "each thread writes at most one pair");
#pragma unroll 1
  for (int p0 = from; p0 < pairs; p0 += P) {
    int at[P];
#pragma unroll
    for (int g = 0; g < P; g++) at[g] = min(p0 + g, pairs - 1) * n;
    const int mine = p0 + within / SHARING;
    const bool writes = within % SHARING == 0 && mine < pairs;
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
        for (int l = 0; l < KEY_LOADS; l++) unpack(loaded[l], k[l], T());
        if (ranks && v * Vec<T>::N < a.rotary_dim) {
#pragma unroll
          for (int l = 0; l < KEY_LOADS; l++) {
            rotate_key<T>(a, keys, ranks, min(e0 + l * KEYS_PER_ROUND, here - 1), n, half, v, k[l]);
          }
        }
#pragma unroll
        for (int g = 0; g < P; g++) {
          float q[Vec<T>::N];
          read_query<T>(query + at[g], v, n, q);
#pragma unroll
          for (int l = 0; l < KEY_LOADS; l++) {
#pragma unroll
            for (int j = 0; j < Vec<T>::N; j++) sum[l][g] += q[j] * k[l][j];
          }
        }
      }
#pragma unroll
      for (int l = 0; l < KEY_LOADS; l++) {
        const int e = e0 + l * KEYS_PER_ROUND;
        lane_sums<P, THREADS_PER_KEY>(sum[l]);
        if (writes && e < here) scores[mine * line + e] = sum[l][0] * a.scale;
      }
    }
  }
}

// ---- Values ---------------------------------------------------------------------------------------------------------

// sum[pairs] += weight times load v of the values of every `parts`-th entry, from entry `part` on. `own`: entries that a
// pair's token attends to, the fewest first; 0 for pairs past the last one. `at`: where a pair's weights begin.
template <class T, int P>
__device__ __forceinline__ void add_values(const T *values, const float *weights, const int (&at)[P], const int (&own)[P],
                                           int here, int n, int parts, int part, int v, float (&sum)[P][Vec<T>::N]) {
  // Entries that all tokens attend to.
#pragma unroll 1
  for (int e0 = part; e0 < own[0]; e0 += VALUE_LOADS * parts) {
    uint4 loaded[VALUE_LOADS];
#pragma unroll
    for (int l = 0; l < VALUE_LOADS; l++) loaded[l] = ((const uint4 *)(values + min(e0 + l * parts, here - 1) * n))[v];
#pragma unroll
    for (int l = 0; l < VALUE_LOADS; l++) {
      const int e = e0 + l * parts;
      if (e >= own[0]) break;
      float x[Vec<T>::N];
      unpack(loaded[l], x, T());
#pragma unroll
      for (int g = 0; g < P; g++) {
        const float weight = weights[at[g] + e];
#pragma unroll
        for (int j = 0; j < Vec<T>::N; j++) sum[g][j] += weight * x[j];
      }
    }
  }
  // The tokens' own.
  const int rest = max(own[0] - part + parts - 1, 0) / parts * parts + part;
#pragma unroll 1
  for (int e = rest; e < here; e += parts) {
    float x[Vec<T>::N];
    unpack(((const uint4 *)(values + e * n))[v], x, T());
#pragma unroll
    for (int g = 0; g < P; g++) {
      if (e < own[g]) {
        const float weight = weights[at[g] + e];
#pragma unroll
        for (int j = 0; j < Vec<T>::N; j++) sum[g][j] += weight * x[j];
      }
    }
  }
}

// Writes a thread's sums of load v, of part `part` of the entries.
template <class T>
__device__ __forceinline__ void store_sums(const float (&sum)[Vec<T>::N], int n, int part, int v, float *reduced) {
#pragma unroll
  for (int j = 0; j < Vec<T>::N; j += FLOATS_PER_LOAD) {
    *(uint4 *)(reduced + part * n + v * Vec<T>::N + j) =
        make_uint4(__float_as_uint(sum[j]), __float_as_uint(sum[j + 1]), __float_as_uint(sum[j + 2]), __float_as_uint(sum[j + 3]));
  }
}

// Sum of an element's parts, which lie n apart, as sum_parts, by one thread: first every THREADS_PER_KEY-th, then the tree.
__device__ __forceinline__ float sum_all_parts(const float *reduced, int n, int parts) {
  float sum[THREADS_PER_KEY] = {};
  int q = 0;
#pragma unroll 1
  for (; q + THREADS_PER_KEY <= parts; q += THREADS_PER_KEY) {
#pragma unroll
    for (int w = 0; w < THREADS_PER_KEY; w++, reduced += n) sum[w] += *reduced;
  }
#pragma unroll
  for (int w = 0; w < THREADS_PER_KEY; w++, reduced += n) {
    if (q + w < parts) sum[w] += *reduced;
  }
#pragma unroll
  for (int d = THREADS_PER_KEY / 2; d; d /= 2) {
#pragma unroll
    for (int w = 0; w < d; w++) sum[w] += sum[w + d];
  }
  return sum[0];
}

// ---- Kernel ---------------------------------------------------------------------------------------------------------

template <class T, int P> __device__ void attend_rows(const RowsAttend &args) {
  extern __shared__ uint4 shared[];
  const Attend &a = args.attend;
  const int n = a.head_dim, vecs = n / Vec<T>::N, all_queries = a.heads / a.kv_heads, first_query = blockIdx.z * a.queries;
  const int group = min(a.queries, all_queries - first_query), kv = blockIdx.x, head = kv * all_queries + first_query;
  const int chunk = a.chunk, warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
  const int tokens = (int)args.tokens, pairs = group * tokens, reducing = min(pairs, PAIRS_PER_SUM), line = chunk + LINE_GAP;
  float *query = (float *)shared;
  float *weights = query + pairs * n;
  float *reduced = weights + pairs * line;
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

  // Appends the new keys and values of this chunk, as append: one warp each, from the last on. Then queries. A warp's scratch
  // is a head's length of `reduced`.
  const int writers = min(ATTEND_WARPS, reducing * ATTEND_THREADS * Vec<T>::N / n), writer = ATTEND_WARPS - 1 - warp;
  float *head_of_warp = reduced + writer * n;
  for (int i = writer; i < tokens && writer < writers; i += writers) {
    const int newest = past + i - first;
    if (newest < 0 || newest >= chunk) continue;
    head_in<T>((const T *)a.key + i * args.key_token + kv * a.key_stride, a.key_scale, a, position + i, a.cosine && !ranks, head_of_warp);
    const T *value = (const T *)a.value + i * args.value_token + kv * a.value_stride;
    for (int d = lane; d < n; d += WARP) {
      narrow(head_of_warp[d], keys[newest * n + d]);
      values[newest * n + d] = value[d];
    }
    __syncwarp();
  }
  for (int p = from + writer; p < pairs && writer < writers; p += writers) {
    const int i = p / group, g = p % group;
    head_in<T>((const T *)a.query + i * args.query_token + (head + g) * a.query_stride, a.query_scale, a, position + i, a.cosine,
               head_of_warp);
    for (int d = lane; d < n; d += WARP) query[p * n + query_place<T>(d, n)] = head_of_warp[d];
    __syncwarp();
  }
  __syncthreads();
  score_rows<T, P>(a, query, keys, ranks, from, pairs, here, line, n, vecs, weights);
  __syncthreads();

  // Softmax over the chunk, one warp per pair, over the entries that its token attends to. The others get no weight.
  float *partial = a.partial + (i64)head * tokens * gridDim.y * (n + PARTIAL_FIELDS);
  const i64 per_chunk = (i64)pairs * (n + PARTIAL_FIELDS);
#pragma unroll 1
  for (int p = from + warp; p < pairs; p += ATTEND_WARPS) {
    const int entries = past + 1 + p / group, own = min(chunk, entries - first);
    float *row = weights + p * line;
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

  // Values. A thread has one load of headDim and every `parts`-th entry; then one thread adds up an element.
  const int parts = ATTEND_THREADS / vecs, part = threadIdx.x / vecs, v = threadIdx.x % vecs;
#pragma unroll 1
  for (int p0 = from; p0 < pairs; p0 += P) {
    float sum[P][Vec<T>::N] = {};
    if (part < parts) {
      int at[P], own[P];
#pragma unroll
      for (int g = 0; g < P; g++) {
        at[g] = min(p0 + g, pairs - 1) * line;
        own[g] = p0 + g < pairs ? min(chunk, past + 1 + (p0 + g) / group - first) : 0;
      }
      add_values<T, P>(values, weights, at, own, here, n, parts, part, v, sum);
    }
#pragma unroll
    for (int g0 = 0; g0 < P; g0 += PAIRS_PER_SUM) {
      const int here_pairs = min(pairs - p0 - g0, PAIRS_PER_SUM);
      if (here_pairs <= 0) break;
#pragma unroll
      for (int g = 0; g < PAIRS_PER_SUM && g0 + g < P; g++) {
        if (part < parts && g < here_pairs) {
          store_sums<T>(sum[g0 + g], n, part, v, reduced + g * ATTEND_THREADS * Vec<T>::N);
        }
      }
      __syncthreads();
#pragma unroll 1
      for (int i = threadIdx.x; i < here_pairs * n; i += ATTEND_THREADS) {
        const int g = i / n, d = i % n, p = p0 + g0 + g, token = p / group;
        const float all = sum_all_parts(reduced + g * ATTEND_THREADS * Vec<T>::N + d, n, parts);
        if (past + 1 + token <= chunk) {
          narrow(all / total[p], ((T *)a.out)[((i64)token * a.heads + head + p % group) * n + d]);
        } else {
          partial[blockIdx.y * per_chunk + p * (n + PARTIAL_FIELDS) + d] = all;
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
#pragma unroll 8
    for (int c = 0; c < chunks; c++) {
      const float *from = partial + c * per_chunk + p * (n + PARTIAL_FIELDS);
      sum += __expf(__ldcg(from + n) - largest[p]) * __ldcg(from + d);
    }
    narrow(sum / total[p], ((T *)a.out)[((i64)token * a.heads + head + p % group) * n + d]);
  }
}
