// What the kernels' CUDA source needs to run on a CPU: blocks one after another, a block's threads as fibers that take
// turns at barriers and shuffles. It says whether indices, orders of sums and edges are right; not how a GPU rounds in
// its own instructions, and nothing about time. Included before the source, from which _cpu_launcher.ts has replaced the
// PTX instructions.
#pragma once
#include <cmath>
#include <csetjmp>
#include <cstdint>
#include <cstring>
#include <ucontext.h>
#include <vector>

#define __device__
#define __host__
#define __global__
#define __forceinline__ inline
#define __grid_constant__
#define __launch_bounds__(...)

struct Dim { unsigned x, y, z; };
static Dim threadIdx, blockIdx, blockDim, gridDim;

// Not aligned as on a GPU: a checkpoint's weights are read where its file has them.
struct uint4 { unsigned x, y, z, w; };
static inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

// Dynamic shared memory, and as much again that must stay as it is.
constexpr int MOST_SHARED = 227 * 1024;
alignas(16) static uint4 shared[2 * MOST_SHARED / sizeof(uint4)];

template <class To, class From> static inline To bits_as(From from) {
  To to;
  static_assert(sizeof to == sizeof from, "");
  std::memcpy(&to, &from, sizeof to);
  return to;
}
static inline float __int_as_float(int x) { return bits_as<float>(x); }
static inline float __uint_as_float(unsigned x) { return bits_as<float>(x); }
static inline int __float_as_int(float x) { return bits_as<int>(x); }
static inline unsigned __float_as_uint(float x) { return bits_as<unsigned>(x); }
static inline float f16_to_float(unsigned short bits) { return (float)bits_as<_Float16>(bits); }
static inline unsigned short float_to_f16(float x) { return bits_as<unsigned short>((_Float16)x); }
static inline unsigned short float_to_bf16(float x) {
  const unsigned bits = bits_as<unsigned>(x);
  return x != x ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

#define __expf expf
static inline float rsqrtf(float x) { return 1.f / sqrtf(x); }
template <class T> static inline T __ldcg(const T *p) { return *p; }
static inline void __threadfence() {}
static inline unsigned atomicAdd(unsigned *p, unsigned x) { return (*p += x) - x; }
static inline int atomicMax(int *p, int x) {
  const int before = *p;
  if (x > before) *p = x;
  return before;
}
static inline int __ffs(unsigned x) { return __builtin_ffs(x); }
static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }
static inline long long min(long long a, long long b) { return a < b ? a : b; }

// ---- Fibers ---------------------------------------------------------------------------------------------------------

namespace fibers {
constexpr int MOST = 1024, LANES = 32, STACK = 64 * 1024;
static jmp_buf back, at[MOST];
static ucontext_t scheduler, starts[MOST];
static std::vector<char> stacks;
static bool begun[MOST], done[MOST];
static int count, current, arrived, warp_arrived[MOST / LANES];
static unsigned turn, warp_turn[MOST / LANES], shuffles[MOST];
static unsigned slots[2][MOST];
static void (*kernel)(const void *);
static const void *argument;

static inline void yield() {
  if (!_setjmp(at[current])) _longjmp(back, 1);
}
// A fiber is made once, and runs one thread of block after block.
static void begin() {
  for (;;) {
    kernel(argument);
    done[current] = true;
    yield();
  }
}
static inline void wait(int &here, int all, unsigned &turn) {
  const unsigned before = turn;
  if (++here == all) {
    here = 0;
    turn++;
    return;
  }
  while (turn == before) yield();
}
static inline void warp_wait() {
  const int warp = current / LANES;
  wait(warp_arrived[warp], LANES, warp_turn[warp]);
}
static void run_block() {
  if (stacks.empty()) stacks.resize((size_t)MOST * STACK);
  std::memset(done, 0, sizeof done);
  arrived = 0;
  std::memset(warp_arrived, 0, sizeof warp_arrived);
  for (volatile bool working = true; working;) {
    working = false;
    for (current = 0; current < count; current++) {
      if (done[current]) continue;
      working = true;
      threadIdx.x = current;
      if (_setjmp(back)) continue;
      if (begun[current]) _longjmp(at[current], 1);
      begun[current] = true;
      ucontext_t &own = starts[current];
      getcontext(&own);
      own.uc_stack.ss_sp = stacks.data() + (size_t)current * STACK;
      own.uc_stack.ss_size = STACK;
      makecontext(&own, begin, 0);
      setcontext(&own);
    }
  }
}
} // namespace fibers

static inline void __syncthreads() { fibers::wait(fibers::arrived, fibers::count, fibers::turn); }
static inline void __syncwarp() { fibers::warp_wait(); }
template <class T> static inline T __shfl_xor_sync(unsigned, T x, int mask) {
  const int own = fibers::current;
  unsigned *slots = fibers::slots[fibers::shuffles[own]++ % 2];
  slots[own] = bits_as<unsigned>(x);
  fibers::warp_wait();
  return bits_as<T>(slots[own ^ mask]);
}

static inline unsigned __ballot_sync(unsigned mask, bool x) {
  unsigned bits = x ? 1u << fibers::current % fibers::LANES : 0u;
  for (int d = 1; d < fibers::LANES; d *= 2) bits |= __shfl_xor_sync(mask, bits, d);
  return bits;
}
static inline int __syncthreads_or(int x) {
  static int any[2];
  static unsigned calls[fibers::MOST];
  int &own = any[calls[fibers::current]++ % 2];
  __syncthreads();
  own = 0;
  __syncthreads();
  own |= x;
  __syncthreads();
  return own;
}

// Runs a kernel; the order of its blocks follows from `seed`. Returns false if it wrote past its shared memory.
static bool launch_on_cpu(void (*kernel)(const void *), const void *argument, const unsigned *grid, int threads, int bytes,
                          unsigned seed) {
  gridDim = {grid[0], grid[1], grid[2]};
  blockDim = {(unsigned)threads, 1, 1};
  fibers::count = threads;
  fibers::kernel = kernel;
  fibers::argument = argument;
  std::vector<unsigned> order(grid[0] * grid[1] * grid[2]);
  for (unsigned i = 0; i < order.size(); i++) order[i] = i;
  for (unsigned i = order.size(); i > 1; i--) {
    seed = seed * 1664525u + 1013904223u;
    std::swap(order[i - 1], order[(seed >> 8) % i]);
  }
  char *dynamic = (char *)shared;
  for (unsigned i : order) {
    std::memset(dynamic, 0xff, bytes + 1024); // NaN
    blockIdx = {i % grid[0], i / grid[0] % grid[1], i / grid[0] / grid[1]};
    fibers::run_block();
    for (int k = bytes; k < bytes + 1024; k++) {
      if (dynamic[k] != (char)0xff) return false;
    }
  }
  return true;
}
