// The kernels' source on a CPU, as a library with one function: see cuda_on_cpu.h.
#include "cuda_on_cpu.h"
#include "step.cu"
#include "rows.cu"

template <class A, void (*KERNEL)(A)> static void call(const void *argument) { KERNEL(*(const A *)argument); }

// Returns 0; 1 for an unknown kernel; 2 if it wrote past its shared memory.
extern "C" int launch(const char *name, const void *argument, const unsigned *grid, int threads, int bytes, unsigned seed) {
#define KERNEL(NAME, A) \
  if (!std::strcmp(name, #NAME)) return launch_on_cpu(call<A, NAME>, argument, grid, threads, bytes, seed) ? 0 : 2;
  KERNEL(step_linear, Linear)
  KERNEL(step_columns, Linear)
  KERNEL(step_attend, Attend)
  KERNEL(step_embed, Embed)
  KERNEL(step_choose, Choose)
  KERNEL(step_drop, Drop)
  KERNEL(step_drop_mean, Drop)
  KERNEL(step_heads, Heads)
  KERNEL(rows_norm, Linear)
  KERNEL(rows_linear_2_1, RowsLinear)
  KERNEL(rows_linear_4_2, RowsLinear)
  KERNEL(rows_linear_4_4, RowsLinear)
  KERNEL(rows_linear_4_5, RowsLinear)
  KERNEL(rows_linear_8_2, RowsLinear)
  KERNEL(rows_linear_8_4, RowsLinear)
  KERNEL(rows_linear_8_5, RowsLinear)
  KERNEL(rows_linear_12_4, RowsLinear)
  KERNEL(rows_linear_12_5, RowsLinear)
  KERNEL(rows_linear_16_4, RowsLinear)
  KERNEL(rows_linear_16_5, RowsLinear)
  KERNEL(rows_columns_8, RowsLinear)
  KERNEL(rows_attend_2, RowsAttend)
  KERNEL(rows_attend_4, RowsAttend)
  KERNEL(rows_attend_8, RowsAttend)
  KERNEL(rows_embed, Embed)
  KERNEL(rows_argmax, Argmax)
  return 1;
}
