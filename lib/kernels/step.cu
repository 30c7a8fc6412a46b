// One decode step of a decoder at batch 1, as few kernels as its data flow allows: every weight is read once, by loads
// that fill the memory bus, and what is small rides along. And of a prompt, what general operators would go over four times.
// The kernels know no model: they are given pointers and sizes.
//
// Compiled to PTX (`deno task kernels`), which the driver compiles for the GPU at hand; needs no header and no library.
// Structures are parameters by value; their layout is restated in structs.ts. Sums are in float32 whatever T is.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;

#define INFINITE __int_as_float(0x7f800000)
#define WARP 32

// ---- Types ----------------------------------------------------------------------------------------------------------

struct F16 { u16 bits; };
struct BF16 { u16 bits; };

__device__ __forceinline__ float widen(F16 x) {
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
  return y;
}
__device__ __forceinline__ float widen(BF16 x) { return __uint_as_float((u32)x.bits << 16); }
__device__ __forceinline__ float widen(float x) { return x; }

__device__ __forceinline__ void narrow(float x, F16 &y) { asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x)); }
__device__ __forceinline__ void narrow(float x, BF16 &y) { asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(x)); }
__device__ __forceinline__ void narrow(float x, float &y) { y = x; }

// Elements in a load of 16 bytes.
template <class T> struct Vec { static const int N = 16 / sizeof(T); };

__device__ __forceinline__ void unpack(uint4 v, float *out, F16) {
  const u32 w[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
  for (int i = 0; i < 4; i++) {
    out[2 * i] = widen(F16{(u16)w[i]});
    out[2 * i + 1] = widen(F16{(u16)(w[i] >> 16)});
  }
}
__device__ __forceinline__ void unpack(uint4 v, float *out, BF16) {
  const u32 w[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
  for (int i = 0; i < 4; i++) {
    out[2 * i] = __uint_as_float(w[i] << 16);
    out[2 * i + 1] = __uint_as_float(w[i] & 0xffff0000u);
  }
}
__device__ __forceinline__ void unpack(uint4 v, float *out, float) {
  out[0] = __uint_as_float(v.x);
  out[1] = __uint_as_float(v.y);
  out[2] = __uint_as_float(v.z);
  out[3] = __uint_as_float(v.w);
}

// Weights are read once: they must not push what is read often out of the caches.
__device__ __forceinline__ uint4 load_once(const uint4 *p) {
  uint4 v;
  asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0,%1,%2,%3}, [%4];"
               : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
               : "l"(p));
  return v;
}

// ---- Between kernels and between threads ----------------------------------------------------------------------------

// On Hopper a kernel may start while the one before it still runs; what it may touch before `wait` are weights alone.
__device__ __forceinline__ void wait_for_inputs() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
__device__ __forceinline__ void let_next_start() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

__device__ __forceinline__ float warp_sum(float x) {
#pragma unroll
  for (int d = WARP / 2; d; d /= 2) x += __shfl_xor_sync(~0u, x, d);
  return x;
}
__device__ __forceinline__ float warp_max(float x) {
#pragma unroll
  for (int d = WARP / 2; d; d /= 2) x = fmaxf(x, __shfl_xor_sync(~0u, x, d));
  return x;
}
// All threads of the block get it. `scratch`: a float per warp.
template <bool MAX> __device__ float block_reduce(float x, float *scratch) {
  const int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP, warps = blockDim.x / WARP;
  x = MAX ? warp_max(x) : warp_sum(x);
  __syncthreads();
  if (lane == 0) scratch[warp] = x;
  __syncthreads();
  x = lane < warps ? scratch[lane] : (MAX ? -INFINITE : 0.f);
  return MAX ? warp_max(x) : warp_sum(x);
}

// Whether this block is the last of `count` to come here, which then sees what all of them wrote. Leaves the counter at 0.
__device__ bool is_last_block(u32 *counter, u32 count) {
  __shared__ u32 before;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) before = atomicAdd(counter, 1);
  __syncthreads();
  if (before != count - 1) return false;
  if (threadIdx.x == 0) *counter = 0;
  __threadfence();
  return true;
}

// ---- Linear ---------------------------------------------------------------------------------------------------------

enum Combine { ONE, SUM, GATED };
enum Activation { IDENTITY, GELU, GELU_TANH, RELU, SILU };
enum Norm { NONE, LAYER, RMS };

struct Product {
  const void *weight; // [rows, width]
  const void *input;  // [width]
  const void *bias;   // [rows] or null
  i64 width;          // a multiple of 16 bytes
};

// out = residual + combine(activation(W0 norm(x0) + b0), W1 x1 + b1)
struct Segment {
  Product product[2];
  const void *scale, *shift; // of the norm, [width], or null
  const void *residual;      // [rows] or null
  void *out;                 // [rows], T or float
  int rows, first_block;
  int combine, activation, norm, plus_one;
  int out_float;
  float eps;
};

#define SEGMENTS 4
#define LINEAR_THREADS 256
// Loads that are under way at a time: see bench/ENGINE.md for what others gave.
#define LINEAR_UNROLL 5
#define LINEAR_BLOCKS 4 // of a multiprocessor at least: registers are shared out so

static_assert(sizeof(Segment) == 128, "see structs.ts");
struct Linear {
  Segment segment[SEGMENTS];
  i64 count;
};

__device__ __forceinline__ float activate(float x, int kind) {
  switch (kind) {
    case GELU: return 0.5f * x * (1.f + erff(x * 0.70710678118654752f));
    case GELU_TANH: return 0.5f * x * (1.f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
    case RELU: return fmaxf(x, 0.f);
    case SILU: return x / (1.f + __expf(-x));
    default: return x;
  }
}

template <class T> __device__ __forceinline__ float at(const void *p, int i) {
  return p ? widen(((const T *)p)[i]) : 0.f;
}

// Sum over the block's threads. `sums` is not used again before all have read it: each call has its own.
__device__ __forceinline__ float linear_sum(float x, float *sums) {
  x = warp_sum(x);
  if (threadIdx.x % WARP == 0) sums[threadIdx.x / WARP] = x;
  __syncthreads();
  x = 0;
#pragma unroll
  for (int w = 0; w < LINEAR_THREADS / WARP; w++) x += sums[w];
  return x;
}

// Puts an input into shared memory.
template <class T> __device__ __forceinline__ void stage(const void *x, int width, T *out) {
#pragma unroll 2
  for (int i = threadIdx.x; i < width / Vec<T>::N; i += LINEAR_THREADS) ((uint4 *)out)[i] = ((const uint4 *)x)[i];
}

// The same, normalized. A thread writes and reads the same places.
template <class T> __device__ __forceinline__ void stage_normed(const Segment &s, const void *x, int width, T *out) {
  __shared__ float sums[2][LINEAR_THREADS / WARP];
  const int n = width / Vec<T>::N;
  uint4 *target = (uint4 *)out;
  float v[Vec<T>::N], sum = 0, mean = 0, squares = 0;
#pragma unroll 2
  for (int i = threadIdx.x; i < n; i += LINEAR_THREADS) {
    const uint4 loaded = ((const uint4 *)x)[i];
    target[i] = loaded;
    unpack(loaded, v, T());
#pragma unroll
    for (int j = 0; j < Vec<T>::N; j++) sum += s.norm == LAYER ? v[j] : v[j] * v[j];
  }
  sum = linear_sum(sum, sums[0]);
  if (s.norm == LAYER) {
    mean = sum / width;
#pragma unroll 2
    for (int i = threadIdx.x; i < n; i += LINEAR_THREADS) {
      unpack(target[i], v, T());
#pragma unroll
      for (int j = 0; j < Vec<T>::N; j++) squares += (v[j] - mean) * (v[j] - mean);
    }
    sum = linear_sum(squares, sums[1]);
  }
  const float inverse = rsqrtf(sum / width + s.eps);
#pragma unroll 2
  for (int i = threadIdx.x; i < n; i += LINEAR_THREADS) {
    float by[Vec<T>::N], plus[Vec<T>::N];
    unpack(target[i], v, T());
    if (s.scale) unpack(((const uint4 *)s.scale)[i], by, T());
    if (s.shift) unpack(((const uint4 *)s.shift)[i], plus, T());
    T packed[Vec<T>::N];
#pragma unroll
    for (int j = 0; j < Vec<T>::N; j++) {
      const float scaled = (v[j] - mean) * inverse * (!s.scale ? 1.f : s.plus_one ? by[j] + 1.f : by[j]);
      narrow(s.shift ? scaled + plus[j] : scaled, packed[j]);
    }
    target[i] = *(uint4 *)packed;
  }
}

// A warp does a row, UNROLL loads under way at a time in each of its threads.
template <class T, int UNROLL> struct Row {
  const uint4 *row;
  uint4 tile[UNROLL];

  __device__ __forceinline__ void start(const Product &p, int index) {
    row = (const uint4 *)p.weight + index * (p.width / Vec<T>::N);
    load(0, p.width / Vec<T>::N);
  }
  __device__ __forceinline__ void load(int from, int n) {
    const int lane = threadIdx.x % WARP;
#pragma unroll
    for (int u = 0; u < UNROLL; u++) {
      const int i = from + u * WARP + lane;
      tile[u] = i < n ? load_once(row + i) : make_uint4(0, 0, 0, 0);
    }
  }
  __device__ __forceinline__ float finish(const Product &p, const T *x) {
    const int n = p.width / Vec<T>::N, lane = threadIdx.x % WARP;
    float sum = 0;
#pragma unroll 1
    for (int from = 0; from < n; from += UNROLL * WARP) {
      if (from) load(from, n);
#pragma unroll
      for (int u = 0; u < UNROLL; u++) {
        const int i = from + u * WARP + lane;
        if (i < n) {
          float a[Vec<T>::N], w[Vec<T>::N];
          unpack(((const uint4 *)x)[i], a, T());
          unpack(tile[u], w, T());
#pragma unroll
          for (int j = 0; j < Vec<T>::N; j++) sum += a[j] * w[j];
        }
      }
    }
    return warp_sum(sum);
  }
};

// A block does COLUMNS columns of a matrix that is stored transposed: a thread has 16 bytes of a row, and every
// SLICES-th row. `sums`: [COLUMNS, SLICES]. Gives thread i * (LINEAR_THREADS / COLUMNS) the sum of column i.
#define COLUMNS 16
template <class T> __device__ float column(const Product &p, int first, int rows, const T *x, float *sums) {
  const int per_row = COLUMNS / Vec<T>::N, slices = LINEAR_THREADS / per_row, per_column = LINEAR_THREADS / COLUMNS;
  const int slice = threadIdx.x / per_row, within = threadIdx.x % per_row * Vec<T>::N;
  float sum[Vec<T>::N] = {};
  if (first + within < rows) {
    const T *weight = (const T *)p.weight + first + within;
    for (int k0 = slice; k0 < p.width; k0 += 8 * slices) {
      uint4 loaded[8];
#pragma unroll
      for (int u = 0; u < 8; u++) {
        loaded[u] = load_once((const uint4 *)(weight + min((i64)k0 + u * slices, p.width - 1) * rows));
      }
#pragma unroll
      for (int u = 0; u < 8; u++) {
        const int k = k0 + u * slices;
        const float a = k < p.width ? widen(x[k]) : 0.f;
        float w[Vec<T>::N];
        unpack(loaded[u], w, T());
#pragma unroll
        for (int j = 0; j < Vec<T>::N; j++) sum[j] += a * w[j];
      }
    }
  }
  __syncthreads();
#pragma unroll
  for (int j = 0; j < Vec<T>::N; j++) sums[(within + j) * slices + slice] = sum[j];
  __syncthreads();
  float total = 0;
  for (int i = threadIdx.x % per_column; i < slices; i += per_column) total += sums[threadIdx.x / per_column * slices + i];
#pragma unroll
  for (int d = per_column / 2; d; d /= 2) total += __shfl_xor_sync(~0u, total, d);
  return total;
}

// What becomes of a row's products, and what is added to them.
struct Added { float bias[2], residual; };
template <class T> __device__ __forceinline__ void finish_row(const Segment &s, int row, float x, float y, const Added &a) {
  x = activate(x + a.bias[0], s.activation);
  if (s.combine != ONE) x = s.combine == SUM ? x + (y + a.bias[1]) : x * (y + a.bias[1]);
  x += a.residual;
  if (s.out_float) ((float *)s.out)[row] = x;
  else narrow(x, ((T *)s.out)[row]);
}

__device__ __forceinline__ const Segment &segment_of_block(const Linear &args) {
  int which = 0;
  while (which + 1 < args.count && (int)blockIdx.x >= args.segment[which + 1].first_block) which++;
  return args.segment[which];
}

template <class T> __device__ __forceinline__ void stage_all(const Segment &s, T *x0, T *x1) {
  if (s.norm) stage_normed<T>(s, s.product[0].input, s.product[0].width, x0);
  else stage<T>(s.product[0].input, s.product[0].width, x0);
  if (s.combine == SUM) stage<T>(s.product[1].input, s.product[1].width, x1);
  __syncthreads();
}

// Biases are constant: they are asked for before anything is waited for.
template <class T> __device__ __forceinline__ Added biases(const Segment &s, int row) {
  return {{at<T>(s.product[0].bias, row), s.combine == ONE ? 0.f : at<T>(s.product[1].bias, row)}, 0.f};
}

// Dynamic shared memory, T: the inputs of both products.
template <class T, int UNROLL> __device__ void linear(const Linear &args) {
  extern __shared__ uint4 shared[];
  const Segment &s = segment_of_block(args);
  const int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
  const int row = ((int)blockIdx.x - s.first_block) * (LINEAR_THREADS / WARP) + warp, safe = min(row, s.rows - 1);
  T *x0 = (T *)shared, *x1 = s.combine == SUM ? x0 + s.product[0].width : x0;
  Row<T, UNROLL> first;
  first.start(s.product[0], safe);
  Added added = {};
  if (lane == 0) added = biases<T>(s, safe);
  let_next_start();
  wait_for_inputs();
  if (lane == 0) added.residual = at<T>(s.residual, safe);
  stage_all<T>(s, x0, x1);
  const float x = first.finish(s.product[0], x0);
  float y = 0;
  if (s.combine != ONE) {
    Row<T, UNROLL> second;
    second.start(s.product[1], safe);
    y = second.finish(s.product[1], x1);
  }
  if (lane == 0 && row < s.rows) finish_row<T>(s, row, x, y, added);
}

// The same for weights that are stored transposed. [LINEAR_THREADS, Vec<T>::N] floats more.
template <class T> __device__ void columns(const Linear &args) {
  extern __shared__ uint4 shared[];
  const Segment &s = segment_of_block(args);
  const int per_column = LINEAR_THREADS / COLUMNS, block = ((int)blockIdx.x - s.first_block) * COLUMNS;
  const int row = block + threadIdx.x / per_column, safe = min(row, s.rows - 1);
  T *x0 = (T *)shared, *x1 = s.combine == SUM ? x0 + s.product[0].width : x0;
  float *sums = (float *)(x1 + s.product[s.combine == SUM].width);
  Added added = biases<T>(s, safe);
  let_next_start();
  wait_for_inputs();
  added.residual = at<T>(s.residual, safe);
  stage_all<T>(s, x0, x1);
  const float x = column<T>(s.product[0], block, s.rows, x0, sums);
  const float y = s.combine == ONE ? 0.f : column<T>(s.product[1], block, s.rows, x1, sums);
  if (threadIdx.x % per_column == 0 && row < s.rows) finish_row<T>(s, row, x, y, added);
}

// ---- Attention ------------------------------------------------------------------------------------------------------

// One token's attention over a layer's cache, which it is appended to. A block takes some queries of one KV head and `chunk`
// of its entries; where there are several, the last block of a head puts together what they found (Dao 2023, "Flash-Decoding").
#define ATTEND_THREADS 256
#define ATTEND_WARPS (ATTEND_THREADS / WARP)
#define LANES 8 // threads that share an entry
#define ATONCE (ATTEND_THREADS / LANES)
#define BATCH 4
#define QUERIES 2
#define VALUES 3

struct Attend {
  const void *query, *key, *value; // of the new token; head h begins at h times the stride
  i64 query_stride, key_stride, value_stride;
  const void *query_scale, *key_scale; // RMS norm of each head's, [headDim], or null
  void *keys, *values;                 // [kvHeads, capacity, headDim]
  const float *cosine, *sine;          // [positions, rotaryDim / 2], or null
  const i64 *position;                 // the new token's
  const float *ranks;                  // [kvHeads, capacity] or null: keys are rotated when they are read, to these places
  const i64 *past;                     // entries before this token
  float *partial;                      // [heads, chunks, headDim + 2], by block
  float *scores;                       // [heads, capacity], or null
  float *observed;                     // [kvHeads, capacity]: mean probability over a KV head's queries, or null
  u32 *counters;                       // [heads], zero
  void *out;                           // [heads * headDim]
  int heads, kv_heads, head_dim, capacity, rotary_dim, plus_one, chunk;
  int queries; // of a KV head that a block takes: all of them if attention is observed
  float scale, eps;
};
static_assert(sizeof(Attend) == 200, "see structs.ts");

// x[headDim] of one head into shared memory as float, normed and rotated; by one warp.
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

// Dynamic shared memory, floats: [group, headDim]; [group, chunk]; [min(group, QUERIES), ATTEND_THREADS, Vec<T>::N]; [2, group].
template <class T> __device__ void attend(const Attend &a) {
  extern __shared__ uint4 shared[];
  const int n = a.head_dim, vecs = n / Vec<T>::N, all_queries = a.heads / a.kv_heads, first_query = blockIdx.z * a.queries;
  const int group = min(a.queries, all_queries - first_query), kv = blockIdx.x, head = kv * all_queries + first_query;
  const int chunk = a.chunk, warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
  float *query = (float *)shared;
  float *p = query + group * n;
  float *reduced = p + group * chunk;
  // Entries of former steps, counts and positions were there before this step began.
  const int past = (int)*a.past, entries = past + 1, first = blockIdx.y * chunk;
  if (first >= entries) return;
  const int chunks = (entries + chunk - 1) / chunk, here = min(chunk, entries - first);
  T *keys = (T *)a.keys + ((i64)kv * a.capacity + first) * n, *values = (T *)a.values + ((i64)kv * a.capacity + first) * n;
  const float *ranks = a.ranks ? a.ranks + (i64)kv * a.capacity + first : nullptr;
  const i64 position = *a.position;
  for (int i = threadIdx.x * 128; i < here * n * (int)sizeof(T); i += ATTEND_THREADS * 128) {
    asm volatile("prefetch.global.L2 [%0];" ::"l"((const u8 *)keys + i));
    asm volatile("prefetch.global.L2 [%0];" ::"l"((const u8 *)values + i));
  }
  let_next_start();
  wait_for_inputs();

  const int newest = past - first; // belongs to this block if less than chunk; others write the same
  if (newest < chunk && warp == ATTEND_WARPS - 1) {
    head_in<T>((const T *)a.key + kv * a.key_stride, a.key_scale, a, position, a.cosine && !ranks, reduced);
    const T *value = (const T *)a.value + kv * a.value_stride;
    for (int i = lane; i < n; i += WARP) {
      narrow(reduced[i], keys[newest * n + i]);
      values[newest * n + i] = value[i];
    }
  }
  for (int g = warp; g < group; g += ATTEND_WARPS) {
    head_in<T>((const T *)a.query + (head + g) * a.query_stride, a.query_scale, a, position, a.cosine, query + g * n);
  }
  __syncthreads();

  // Scores: LANES threads an entry, BATCH entries and up to QUERIES queries at a time: all their loads are under way at once.
  const int within = threadIdx.x % LANES, half = a.rotary_dim / 2;
#pragma unroll 1
  for (int g0 = 0; g0 < group; g0 += QUERIES) {
#pragma unroll 1
    for (int e0 = threadIdx.x / LANES; e0 - (int)threadIdx.x / LANES < here; e0 += BATCH * ATONCE) {
      float sum[BATCH][QUERIES] = {};
#pragma unroll 1
      for (int v = within; v < vecs; v += LANES) {
        uint4 loaded[BATCH];
#pragma unroll
        for (int b = 0; b < BATCH; b++) loaded[b] = ((const uint4 *)(keys + min(e0 + b * ATONCE, here - 1) * n))[v];
#pragma unroll
        for (int b = 0; b < BATCH; b++) {
          float k[Vec<T>::N];
          unpack(loaded[b], k, T());
          if (ranks && v * Vec<T>::N < a.rotary_dim) {
            const int e = min(e0 + b * ATONCE, here - 1);
            const i64 rank = (i64)ranks[e];
#pragma unroll
            for (int j = 0; j < Vec<T>::N; j++) {
              const int d = v * Vec<T>::N + j, i = d < half ? d : d - half;
              if (d >= a.rotary_dim) continue;
              const float c = a.cosine[rank * half + i], s = a.sine[rank * half + i];
              k[j] = d < half ? k[j] * c - widen(keys[e * n + d + half]) * s : k[j] * c + widen(keys[e * n + i]) * s;
            }
          }
#pragma unroll
          for (int g = 0; g < QUERIES; g++) {
            if (g0 + g < group) {
              const float *q = query + (g0 + g) * n + v * Vec<T>::N;
#pragma unroll
              for (int j = 0; j < Vec<T>::N; j++) sum[b][g] += q[j] * k[j];
            }
          }
        }
      }
#pragma unroll
      for (int b = 0; b < BATCH; b++) {
        const int e = e0 + b * ATONCE;
#pragma unroll
        for (int g = 0; g < QUERIES; g++) {
          if (g0 + g < group) {
#pragma unroll
            for (int d = LANES / 2; d; d /= 2) sum[b][g] += __shfl_xor_sync(~0u, sum[b][g], d);
            if (within == 0 && e < here) p[(g0 + g) * chunk + e] = sum[b][g] * a.scale;
          }
        }
      }
    }
  }
  __syncthreads();

  // Softmax of what is here, a warp a query. Of one chunk it is the whole; else it waits for the others'.
  float *largest = reduced + min(group, QUERIES) * ATTEND_THREADS * Vec<T>::N, *total = largest + group;
  float *mine = a.partial + ((i64)head * gridDim.y + (i64)blockIdx.y * group) * (n + 2);
#pragma unroll 1
  for (int g = warp; g < group; g += ATTEND_WARPS) {
    float *row = p + g * chunk;
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
        mine[g * (n + 2) + n] = most;
        mine[g * (n + 2) + n + 1] = sum;
      }
    }
  }
  __syncthreads();

  // Values: a thread has one vector of headDim and every `parts`-th entry.
  const int parts = ATTEND_THREADS / vecs, part = threadIdx.x / vecs, v = threadIdx.x % vecs;
#pragma unroll 1
  for (int g0 = 0; g0 < group; g0 += QUERIES) {
    const int queries = min(group - g0, QUERIES);
    if (part < parts) {
      float sum[QUERIES][Vec<T>::N] = {};
#pragma unroll 1
      for (int e0 = part; e0 < here; e0 += VALUES * parts) {
        uint4 loaded[VALUES];
#pragma unroll
        for (int b = 0; b < VALUES; b++) loaded[b] = ((const uint4 *)(values + min(e0 + b * parts, here - 1) * n))[v];
#pragma unroll
        for (int b = 0; b < VALUES; b++) {
          const int e = e0 + b * parts;
          float x[Vec<T>::N];
          unpack(loaded[b], x, T());
#pragma unroll
          for (int g = 0; g < QUERIES; g++) {
            if (g < queries) {
              const float weight = e < here ? p[(g0 + g) * chunk + e] : 0.f;
#pragma unroll
              for (int j = 0; j < Vec<T>::N; j++) sum[g][j] += weight * x[j];
            }
          }
        }
      }
#pragma unroll
      for (int g = 0; g < QUERIES; g++) {
        if (g < queries) {
#pragma unroll
          for (int j = 0; j < Vec<T>::N; j++) {
            reduced[g * ATTEND_THREADS * Vec<T>::N + part * n + v * Vec<T>::N + j] = sum[g][j];
          }
        }
      }
    }
    __syncthreads();
    // Then LANES threads sum up an element.
    for (int i0 = 0; i0 < queries * n; i0 += ATONCE) {
      const int i = i0 + threadIdx.x / LANES, g = i / n, d = i % n;
      float sum = 0;
      if (i < queries * n) {
        for (int q = within; q < parts; q += LANES) sum += reduced[g * ATTEND_THREADS * Vec<T>::N + q * n + d];
      }
#pragma unroll
      for (int b = LANES / 2; b; b /= 2) sum += __shfl_xor_sync(~0u, sum, b);
      if (within == 0 && i < queries * n) {
        if (chunks == 1) narrow(sum / total[g0 + g], ((T *)a.out)[(head + g0 + g) * n + d]);
        else mine[(g0 + g) * (n + 2) + d] = sum;
      }
    }
    __syncthreads();
  }

  if (chunks > 1 && !is_last_block(a.counters + kv * gridDim.z + blockIdx.z, chunks)) return;
  const float *all = a.partial + (i64)head * gridDim.y * (n + 2);
  const i64 stride = (i64)group * (n + 2);
  if (chunks > 1) {
    for (int g = warp; g < group; g += ATTEND_WARPS) {
      float most = -INFINITE, sum = 0;
      for (int c = lane; c < chunks; c += WARP) most = fmaxf(most, __ldcg(all + c * stride + g * (n + 2) + n));
      most = warp_max(most);
      for (int c = lane; c < chunks; c += WARP) {
        const float *from = all + c * stride + g * (n + 2) + n;
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
        const float *from = all + c * stride + g * (n + 2);
        sum += __expf(__ldcg(from + n) - largest[g]) * __ldcg(from + d);
      }
      narrow(sum / total[g], ((T *)a.out)[(head + g) * n + d]);
    }
  }
  if (!a.observed) return;
  for (int e = threadIdx.x; e < entries; e += ATTEND_THREADS) {
    float sum = 0;
    for (int g = 0; g < group; g++) {
      sum += __expf(__ldcg(a.scores + (i64)(head + g) * a.capacity + e) - largest[g]) / total[g];
    }
    a.observed[(i64)kv * a.capacity + e] = sum / group;
  }
}

// ---- The ends of the model ------------------------------------------------------------------------------------------

struct Embed {
  const i64 *id, *position;
  const void *table, *learned; // [vocab, hidden]; [positions, hidden] or null
  void *out;                   // [hidden]
  i64 hidden, offset;
  float scale, unused;
};
static_assert(sizeof(Embed) == 64, "see structs.ts");

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

// Negative log-likelihood of the target and the first of the largest logits; the last id where none is a number.
struct Choose {
  const float *logits; // [vocab]
  const i64 *target;
  float *partial; // [blocks, 3]: largest, sum of exponentials, place
  u32 *counter;   // zero
  float *nll;
  i64 *argmax;
  i64 vocab;
};
static_assert(sizeof(Choose) == 56, "see structs.ts");

__device__ __forceinline__ void better(float &value, int &place, float other, int at) {
  if (other > value || (other == value && at < place)) {
    value = other;
    place = at;
  }
}
__device__ void block_argmax(float &value, int &place, float *values, int *places) {
#pragma unroll
  for (int d = WARP / 2; d; d /= 2) {
    const float other = __shfl_xor_sync(~0u, value, d);
    const int at = __shfl_xor_sync(~0u, place, d);
    better(value, place, other, at);
  }
  __syncthreads();
  if (threadIdx.x % WARP == 0) {
    values[threadIdx.x / WARP] = value;
    places[threadIdx.x / WARP] = place;
  }
  __syncthreads();
  for (int w = 0; w < (int)blockDim.x / WARP; w++) better(value, place, values[w], places[w]);
}

extern "C" __global__ void step_choose(const __grid_constant__ Choose a) {
  __shared__ float values[WARP], scratch[WARP];
  __shared__ int places[WARP];
  let_next_start();
  wait_for_inputs();
  const int vocab = (int)a.vocab, threads = gridDim.x * blockDim.x;
  float value = -INFINITE;
  int place = vocab - 1;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < vocab; i += threads) better(value, place, a.logits[i], i);
  block_argmax(value, place, values, places);
  float sum = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < vocab; i += threads) sum += expf(a.logits[i] - value);
  sum = block_reduce<false>(sum, scratch);
  if (threadIdx.x == 0) {
    a.partial[3 * blockIdx.x] = value;
    a.partial[3 * blockIdx.x + 1] = sum;
    a.partial[3 * blockIdx.x + 2] = __int_as_float(place);
  }
  if (!is_last_block(a.counter, gridDim.x)) return;
  value = -INFINITE;
  place = vocab - 1;
  for (int b = threadIdx.x; b < (int)gridDim.x; b += blockDim.x) {
    better(value, place, __ldcg(a.partial + 3 * b), __float_as_int(__ldcg(a.partial + 3 * b + 2)));
  }
  block_argmax(value, place, values, places);
  sum = 0;
  for (int b = threadIdx.x; b < (int)gridDim.x; b += blockDim.x) {
    sum += __ldcg(a.partial + 3 * b + 1) * expf(__ldcg(a.partial + 3 * b) - value);
  }
  sum = block_reduce<false>(sum, scratch);
  if (threadIdx.x == 0) {
    *a.nll = value + logf(sum) - a.logits[*a.target];
    *a.argmax = place;
  }
}

// ---- Eviction -------------------------------------------------------------------------------------------------------

// One entry of each row leaves, and the newest takes its slot; a row is one KV head of one layer. The score is a program
// over arrays of a row's entries in text order: see lib/policies/score.ts. Outside the middle they hold arbitrary numbers.
#define DROP_THREADS 256
// Of a multiprocessor at least; with DOT_MEAN fewer, that it has the registers to read vectors.
#define DROP_BLOCKS 8
#define MEAN_BLOCKS 4
#define INSTRUCTIONS 32
#define HELD 3 // loads of a vector that a thread has under way

enum Op {
  KEY_NORM, ATTENTION, RANDOM, CONSTANT,                                    // push
  OVER_DIM, DOT_MEAN,                                                       // push, of keys or values
  NEG, ABS, SQRT, EXP, LOG, SUM_OVER, MEAN_OVER, MAX_OVER, NORM_OVER,       // replace
  AVG_POOL, MAX_POOL, ADD, SUB, MUL, DIV                                    // of two
};
struct Instruction { int op; float number; };

struct Drop {
  void *keys, *values;    // [slots, headDim], all rows' slots
  const i64 *starts;      // [rows]: first slot of each
  float *rank;            // [rows, width]: place in text order of the entry in each slot; what follows is kept beside it, or null
  float *key_norm, *birth;
  float *attention;       // [rows, width]: sum over all queries; or [rows, window, width]: what each of the last paid
  const float *observed;  // [rows, width]: attention of this step's query
  const float *middles;   // [4, layers]: the newest's slot, first rank of the middle, one past its last, entries before
  const i64 *line;        // the line that this step's query has
  const i64 *draw;
  const float *text_index;
  float *sums;            // [rows, means, headDim + SUM_FIELDS]: a sum for each DOT_MEAN of the program, or null
  int kv_heads, head_dim, width, layers, window, share_layer, count, depth, means;
  Instruction program[INSTRUCTIONS];
};
static_assert(sizeof(Drop) == 400, "see structs.ts");

#define PRIME 2147483647ull
// See lib/cache/random_graph.ts.
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

// Bits of OVER_DIM's and DOT_MEAN's number. Two more say what OVER_DIM does: sum, mean, max, norm.
#define OF_VALUES 1
#define ABSOLUTE 2
#define DIRECTION 2 // divided by their norms

// One number of each entry's vector x[headDim]: the sum, mean, max or norm of its elements. LANES threads an entry.
template <class T> __device__ void over_dim(const T *x, int entries, int n, const float *rank, int bits, float *out) {
  const int vecs = n / Vec<T>::N, within = threadIdx.x % LANES, kind = bits >> 2;
  for (int e0 = 0; e0 < entries; e0 += DROP_THREADS / LANES) {
    const int e = e0 + threadIdx.x / LANES;
    float sum = kind == 2 ? -INFINITE : 0;
    for (int v = within; v < vecs && e < entries; v += LANES) {
      float w[Vec<T>::N];
      unpack(((const uint4 *)(x + e * n))[v], w, T());
#pragma unroll
      for (int j = 0; j < Vec<T>::N; j++) {
        const float y = bits & ABSOLUTE ? fabsf(w[j]) : w[j];
        sum = kind == 2 ? fmaxf(sum, y) : sum + (kind == 3 ? y * y : y);
      }
    }
#pragma unroll
    for (int d = LANES / 2; d; d /= 2) {
      const float other = __shfl_xor_sync(~0u, sum, d);
      sum = kind == 2 ? fmaxf(sum, other) : sum + other;
    }
    if (within == 0 && e < entries) out[(int)rank[e]] = kind == 1 ? sum / n : kind == 3 ? sqrtf(sum) : sum;
  }
}

// Of a row, what is kept from step to step of a sum over its middle: the sum itself [headDim], over how many entries from
// which rank on it is, and for how many steps it was carried on.
#define SUM_FIELDS 3
// Steps after which a sum is made anew: what adding and taking away again leaves behind stays below what one sum rounds off.
#define SUM_AGE 256
#define SUM_PARTS 16 // headDim / WARP at most

template <class T> __device__ __forceinline__ float scale_of(const T *x, int n, bool direction) { // by a warp
  if (!direction) return 1.f;
  float squares = 0;
  for (int i = threadIdx.x % WARP; i < n; i += WARP) squares += widen(x[i]) * widen(x[i]);
  return 1.f / sqrtf(warp_sum(squares));
}

// Brings a row's sum, of vectors or of directions, up to date in `sum` [headDim]: what has come to the middle is added.
// `parts`: [DROP_THREADS / WARP, headDim].
template <class T>
__device__ void sum_up(const T *x, int entries, int n, const float *rank, int sink, int end, bool direction,
                       float *state, float *parts, float *sum) {
  const int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
  const int summed = (int)state[n], age = (int)state[n + 2];
  bool stale = summed == 0 || summed > end - sink || state[n + 1] != sink || age >= SUM_AGE;
  // A sum that is no number would stay none, long after what made it so has left.
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

// Each entry's product with the mean of the middle's, of vectors or of directions: every vector is read once. As few threads
// share an entry as can have all of it under way.
template <class T>
__device__ void dot_mean(const T *x, int entries, int n, const float *rank, int count, bool direction, const float *sum,
                         float *out) {
  const int N = Vec<T>::N, vecs = n / N;
  int lanes = 1;
  while (lanes * HELD < vecs && lanes < WARP) lanes *= 2;
  const int within = threadIdx.x % lanes, group = threadIdx.x / lanes, groups = DROP_THREADS / lanes;
#pragma unroll 1
  for (int e0 = 0; e0 < entries; e0 += groups) {
    const int e = e0 + group, safe = min(e, entries - 1);
    const int place = (int)rank[safe];
    float product = 0, squares = 0;
#pragma unroll 1
    for (int v0 = within; v0 < vecs; v0 += HELD * lanes) {
      uint4 loaded[HELD];
#pragma unroll
      for (int u = 0; u < HELD; u++) loaded[u] = ((const uint4 *)(x + (i64)safe * n))[min(v0 + u * lanes, vecs - 1)];
#pragma unroll
      for (int u = 0; u < HELD; u++) {
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
    if (within == 0 && e < entries) out[place] = product / count * (direction ? 1.f / sqrtf(squares) : 1.f);
  }
}

// Takes the entry that leaves out of a sum, and keeps it for the next step.
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

// Dynamic shared memory, floats: attention paid [width]; as many arrays of [width] as the program has on its stack; with
// DOT_MEAN [DROP_THREADS / WARP, headDim] and a [headDim] for each.
template <class T, bool MEAN> __device__ void drop(const Drop &a) {
  extern __shared__ uint4 shared[];
  __shared__ float scratch[WARP];
  __shared__ int chosen, spot;
  __shared__ float newest_norm;
  float *paid = (float *)shared, *stack = paid + a.width;
  const int row = blockIdx.x, layer = row / a.kv_heads, t = threadIdx.x, width = a.width, n = a.head_dim;
  if (MEAN) { // what will be read of former steps
    const u8 *vectors = (const u8 *)((T *)a.keys + a.starts[row] * n);
    const int bytes = (int)a.middles[layer] * n * (int)sizeof(T);
    for (int i = t * 128; i < bytes; i += DROP_THREADS * 128) asm volatile("prefetch.global.L2 [%0];" ::"l"(vectors + i));
  }
  let_next_start();
  wait_for_inputs();
  const int last = (int)a.middles[layer], sink = (int)a.middles[a.layers + layer],
            end = (int)a.middles[2 * a.layers + layer], past = (int)a.middles[3 * a.layers + layer];
  const int entries = last + 1;
  float *rank = a.rank + (i64)row * width;
  T *keys = (T *)a.keys + a.starts[row] * n, *values = (T *)a.values + a.starts[row] * n;
  if (t == 0) {
    chosen = -1;
    spot = last;
  }
  float *norms = a.key_norm ? a.key_norm + (i64)row * width : nullptr;
  if (norms) {
    float squares = 0;
    for (int i = t; i < n; i += DROP_THREADS) squares += widen(keys[last * n + i]) * widen(keys[last * n + i]);
    squares = block_reduce<false>(squares, scratch);
    if (t == 0) newest_norm = sqrtf(squares);
  }
  const int line = a.line ? (int)*a.line : 0;
  float *kept = a.attention ? a.attention + (i64)row * width * max(a.window, 1) : nullptr;
  for (int slot = t; kept && slot < entries; slot += DROP_THREADS) {
    float now;
    if (a.share_layer) {
      now = 0;
#pragma unroll 8
      for (int h = 0; h < a.kv_heads; h++) now += a.observed[(i64)(layer * a.kv_heads + h) * width + slot];
      now /= a.kv_heads;
    } else {
      now = a.observed[(i64)row * width + slot];
    }
    if (!a.window) {
      paid[slot] = slot >= past ? now : kept[slot] + now;
    } else {
      float sum = now;
      if (slot < past) {
#pragma unroll 16
        for (int w = 0; w < a.window; w++) sum += w == line ? 0.f : kept[(i64)w * width + slot];
      }
      kept[(i64)line * width + slot] = now;
      paid[slot] = sum;
    }
  }
  __syncthreads();

  int top = -1, means = 0;
  float *parts = stack + a.depth * width;
  for (int pc = 0; pc < a.count; pc++) {
    const int op = a.program[pc].op;
    const float number = a.program[pc].number;
    if (op <= CONSTANT) {
      float *x = stack + ++top * width;
      for (int slot = t; slot < entries; slot += DROP_THREADS) {
        const int i = (int)rank[slot];
        switch (op) {
          case KEY_NORM: x[i] = slot == last ? newest_norm : norms[slot]; break;
          case ATTENTION: x[i] = paid[slot]; break;
          case RANDOM: x[i] = uniform(*a.draw, row, i); break;
          default: x[i] = number;
        }
      }
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
      float *x = stack + top * width;
      for (int i = t; i < entries; i += DROP_THREADS) {
        const float v = x[i];
        x[i] = op == NEG ? -v : op == ABS ? fabsf(v) : op == SQRT ? sqrtf(v) : op == EXP ? expf(v) : logf(v);
      }
    } else if (op <= NORM_OVER) {
      float *x = stack + top * width, sum = op == MAX_OVER ? -INFINITE : 0;
      for (int i = sink + t; i < end; i += DROP_THREADS) {
        if (op == MAX_OVER) sum = fmaxf(sum, x[i]);
        else sum += op == NORM_OVER ? x[i] * x[i] : x[i];
      }
      sum = op == MAX_OVER ? block_reduce<true>(sum, scratch) : block_reduce<false>(sum, scratch);
      if (op == MEAN_OVER) sum /= end - sink;
      if (op == NORM_OVER) sum = sqrtf(sum);
      for (int i = t; i < entries; i += DROP_THREADS) x[i] = sum;
    } else if (op <= MAX_POOL) {
      const int kernel = (int)number, before = (kernel - 1) / 2;
      float *x = stack + top * width, *y = x + width;
      if (end - sink >= kernel) { // in fewer, each entry stands for itself
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

  // The lowest score goes; among equals the last in text order. Should none be a number, the oldest.
  int dropped = sink;
  if (a.count > 0) {
    float lowest = INFINITE;
    for (int i = sink + t; i < end; i += DROP_THREADS) lowest = fminf(lowest, stack[i]); // passes over what is no number
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
  const int place = spot;

  if (MEAN) {
    for (int pc = 0, which = 0; pc < a.count; pc++) {
      if (a.program[pc].op != DOT_MEAN) continue;
      const int bits = (int)a.program[pc].number;
      keep_sum<T>((bits & OF_VALUES ? values : keys) + (i64)place * n, n, sink, end, bits & DIRECTION,
                  parts + (DROP_THREADS / WARP + which) * n, a.sums + ((i64)row * a.means + which) * (n + SUM_FIELDS));
      which++;
    }
    __syncthreads();
  }
  const int vecs = n / Vec<T>::N;
  for (int i = t; i < 2 * vecs && place != last; i += DROP_THREADS) {
    uint4 *x = (uint4 *)(i < vecs ? keys : values);
    const int j = i < vecs ? i : i - vecs;
    x[place * vecs + j] = x[last * vecs + j];
  }
  if (t == 0) {
    if (norms) norms[place] = norms[last] = newest_norm;
  }
  if (a.birth) {
    float *births = a.birth + (i64)row * width;
    // A slot filled in this pass holds the text's next token after its neighbour's.
    if (t == 0) births[place] = births[last] = last + (*a.text_index - past);
  }
  if (kept && !a.window) {
    for (int slot = t; slot < entries; slot += DROP_THREADS) kept[slot] = slot == place ? paid[last] : paid[slot];
  }
  if (kept && a.window) {
    // The newest is known to this step's query alone; and its slot is free again for the next.
    const float now = paid[last];
    for (int w = t; w < a.window; w += DROP_THREADS) {
      const float value = w == line ? now : 0.f;
      kept[(i64)w * width + place] = value;
      kept[(i64)w * width + last] = value;
    }
  }
  for (int slot = t; slot < entries; slot += DROP_THREADS) {
    const float r = rank[slot];
    if (slot == last) rank[slot] = last;
    else if (slot == place) rank[slot] = last - 1;
    else if (r > dropped && r < last) rank[slot] = r - 1;
  }
}

// ---- Heads of a prompt ----------------------------------------------------------------------------------------------

// Queries, keys and values of a prompt's tokens, out of what the projections gave: biases added, taken apart, rotated. General
// operators would read and write all of it four times.
#define HEADS_THREADS 256

struct PromptRows {
  const void *rows;               // of the first head of the first token
  const void *bias;               // of the first head, or null
  void *out;                      // [tokens, heads, headDim]
  i64 token_stride, head_stride;  // elements; a bias has the head's
};
struct Heads {
  PromptRows part[3];               // queries, keys, values
  const float *cosine, *sine;     // [positions, rotaryDim / 2], or null
  const i64 *positions;           // [tokens]
  int heads, kv_heads, head_dim, rotary_dim;
};
static_assert(sizeof(Heads) == 160, "see structs.ts");

// A block does 16 bytes a thread of a token.
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

// ---- Names ----------------------------------------------------------------------------------------------------------

#ifndef TYPE
#define TYPE F16
#endif
extern "C" __global__ void __launch_bounds__(LINEAR_THREADS, LINEAR_BLOCKS) step_linear(const __grid_constant__ Linear a) {
  linear<TYPE, LINEAR_UNROLL>(a);
}
extern "C" __global__ void __launch_bounds__(LINEAR_THREADS) step_columns(const __grid_constant__ Linear a) {
  columns<TYPE>(a);
}
extern "C" __global__ void __launch_bounds__(ATTEND_THREADS) step_attend(const __grid_constant__ Attend a) {
  attend<TYPE>(a);
}
extern "C" __global__ void __launch_bounds__(DROP_THREADS, DROP_BLOCKS) step_drop(const __grid_constant__ Drop a) {
  drop<TYPE, false>(a);
}
extern "C" __global__ void __launch_bounds__(DROP_THREADS, MEAN_BLOCKS) step_drop_mean(const __grid_constant__ Drop a) {
  drop<TYPE, true>(a);
}
extern "C" __global__ void step_embed(const __grid_constant__ Embed a) { embed<TYPE>(a); }
extern "C" __global__ void __launch_bounds__(HEADS_THREADS) step_heads(const __grid_constant__ Heads a) { prompt_heads<TYPE>(a); }
