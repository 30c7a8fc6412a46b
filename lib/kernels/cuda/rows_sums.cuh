// Many sums over the lanes of a warp at once: for rows_linear_M and rows_attend_P.
#pragma once
#include "common.cuh"

// Adds up S sums over each LANES neighbouring lanes, each in the tree of warp_sum, with as many shuffles as sums: where two
// lanes would compute the same sum, each computes one of two. Lane l of LANES then has sums l * S / LANES and those after it,
// in v[0] and those after it; with fewer sums than lanes, LANES / S lanes have the same one. S is a power of two.
template <int S, int LANES> __device__ __forceinline__ void lane_sums(float (&v)[S]) {
  const int lane = threadIdx.x % LANES;
  int count = S;
#pragma unroll
  for (int d = LANES / 2; d; d /= 2) {
    if (count == 1) {
      v[0] += __shfl_xor_sync(~0u, v[0], d);
      continue;
    }
    count /= 2;
#pragma unroll
    for (int k = 0; k < S / 2; k++) {
      if (k < count) {
        const float keep = lane & d ? v[k + count] : v[k], give = lane & d ? v[k] : v[k + count];
        v[k] = keep + __shfl_xor_sync(~0u, give, d);
      }
    }
  }
}
