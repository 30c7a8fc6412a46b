// What all kernels share: element types, loads, the order of kernels in a stream, sums over threads.
//
// No header of CUDA's library is included: the built-in functions are enough.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;

#define INFINITE __int_as_float(0x7f800000)

// Threads of a warp.
constexpr int WARP = 32;
// Bytes that a thread loads at once.
constexpr int LOAD_BYTES = 16;
// Bytes that a prefetch brings into L2.
constexpr int CACHE_LINE = 128;
// Largest headDim. The sums of drop_mean.cuh need the bound.
constexpr int MAX_HEAD_DIM = 512;

// ---- Element types --------------------------------------------------------------------------------------------------

struct F16 { u16 bits; };
struct BF16 { u16 bits; };

// Type of weights, activations and cache, which the kernels' templates call T. The compiler's command line sets it.
#ifndef TYPE
#define TYPE F16
#endif

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

// Element i as float; 0 if there is no array.
template <class T> __device__ __forceinline__ float at(const void *p, int i) {
  return p ? widen(((const T *)p)[i]) : 0.f;
}

// ---- Loads ----------------------------------------------------------------------------------------------------------

// Elements in one load.
template <class T> struct Vec { static const int N = LOAD_BYTES / sizeof(T); };

// Elements of one load as floats. The last argument only names the type.
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

// Loads weights. They are read once, so they must not evict from the caches what is read often.
__device__ __forceinline__ uint4 load_once(const uint4 *p) {
  uint4 v;
  asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0,%1,%2,%3}, [%4];"
               : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
               : "l"(p));
  return v;
}

// Loads weights if `wanted`; otherwise `v` stays.
__device__ __forceinline__ void load_once_if(bool wanted, const uint4 *p, uint4 &v) {
  asm volatile("{\n\t.reg .pred wanted;\n\tsetp.ne.u32 wanted, %5, 0;\n\t"
               "@wanted ld.global.nc.L1::no_allocate.v4.u32 {%0,%1,%2,%3}, [%4];\n\t}"
               : "+r"(v.x), "+r"(v.y), "+r"(v.z), "+r"(v.w)
               : "l"(p), "r"((u32)wanted));
}

// Brings the cache line of an address into L2.
__device__ __forceinline__ void prefetch(const u8 *p) { asm volatile("prefetch.global.L2 [%0];" ::"l"(p)); }

// ---- Order of kernels -----------------------------------------------------------------------------------------------

// On Hopper a kernel starts while the one before it still runs (programmatic dependent launch). Before wait_for_inputs it
// may read only what the kernel before does not write: weights, tables, and cache entries of former steps.
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

// ---- Sums over threads ----------------------------------------------------------------------------------------------

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

// Sum or maximum over the block; all threads get it. `scratch`: one float per warp.
template <bool MAX> __device__ float block_reduce(float x, float *scratch) {
  const int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP, warps = blockDim.x / WARP;
  x = MAX ? warp_max(x) : warp_sum(x);
  __syncthreads();
  if (lane == 0) scratch[warp] = x;
  __syncthreads();
  x = lane < warps ? scratch[lane] : (MAX ? -INFINITE : 0.f);
  return MAX ? warp_max(x) : warp_sum(x);
}

// True in the last of `count` blocks to arrive. That block sees what all of them wrote. Resets the counter to 0.
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
