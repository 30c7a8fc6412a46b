// The kernels of a pass of several tokens of one sequence: what those of step.cu compute for one token, with the same bits
// for each. A pass that verifies drafted tokens uses them; step.cu's are compiled apart and do not change.

#include "rows_linear.cuh" // rows_norm, rows_linear_M_R, rows_columns_M
#include "rows_attend.cuh" // rows_attend_P
#include "rows_ends.cuh"   // rows_embed, rows_argmax

extern "C" __global__ void rows_embed(const __grid_constant__ Embed a) { embed_rows<TYPE>(a); }

extern "C" __global__ void __launch_bounds__(LINEAR_THREADS) rows_norm(const __grid_constant__ Linear a) {
  norm_rows<TYPE>(a);
}

#define LINEAR_ROWS(M, R)                                                                                                   \
  extern "C" __global__ void __launch_bounds__(ROWS_THREADS, rows_blocks(M, R))                                             \
  rows_linear_##M##_##R(const __grid_constant__ RowsLinear a) {                                                             \
    linear_rows<TYPE, M, R>(a);                                                                                             \
  }
LINEAR_ROWS(2, 1)
LINEAR_ROWS(4, 2)
LINEAR_ROWS(4, 4)
LINEAR_ROWS(4, 5)
LINEAR_ROWS(8, 2)
LINEAR_ROWS(8, 4)
LINEAR_ROWS(8, 5)
LINEAR_ROWS(12, 4)
LINEAR_ROWS(12, 5)
LINEAR_ROWS(16, 4)
LINEAR_ROWS(16, 5)

#define COLUMNS_ROWS(M)                                                                                                     \
  extern "C" __global__ void __launch_bounds__(LINEAR_THREADS) rows_columns_##M(const __grid_constant__ RowsLinear a) {     \
    columns_rows<TYPE, M>(a);                                                                                               \
  }
COLUMNS_ROWS(8)

#define ATTEND_ROWS(P)                                                                                                      \
  extern "C" __global__ void __launch_bounds__(ATTEND_THREADS, 2)                                                           \
  rows_attend_##P(const __grid_constant__ RowsAttend a) {                                                                   \
    attend_rows<TYPE, P>(a);                                                                                                \
  }
ATTEND_ROWS(2)
ATTEND_ROWS(4)
ATTEND_ROWS(8)

extern "C" __global__ void rows_argmax(const __grid_constant__ Argmax a) { argmax_rows(a); }
