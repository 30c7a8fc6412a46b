// The kernels of one decode step at batch 1, and of a prompt's heads: one file per concern.
//
// As few kernels as the data flow allows: each weight is read once, with loads that fill the memory bus, and small work
// is done on the way. The kernels are model-agnostic: they get pointers and sizes. Sums are in float32 whatever T is.
//
// `deno task kernels` compiles this file to PTX, and the driver compiles the PTX for the GPU it finds. docs/kernels.md says
// how to change, rebuild and verify. The structures are parameters by value: structs.ts writes the same layout, and
// constants.ts repeats the constants that TypeScript needs. Tests compare both with these files.

#include "choose.cuh" // step_choose
#include "linear.cuh" // step_linear, step_columns
#include "attend.cuh" // step_attend
#include "drop.cuh"   // step_drop, step_drop_mean
#include "embed.cuh"  // step_embed
#include "heads.cuh"  // step_heads

extern "C" __global__ void step_choose(const __grid_constant__ Choose a) { choose(a); }

extern "C" __global__ void __launch_bounds__(LINEAR_THREADS, LINEAR_BLOCKS_PER_SM)
step_linear(const __grid_constant__ Linear a) {
  linear<TYPE>(a);
}

extern "C" __global__ void __launch_bounds__(LINEAR_THREADS) step_columns(const __grid_constant__ Linear a) {
  columns<TYPE>(a);
}

extern "C" __global__ void __launch_bounds__(ATTEND_THREADS) step_attend(const __grid_constant__ Attend a) {
  attend<TYPE>(a);
}

extern "C" __global__ void __launch_bounds__(DROP_THREADS, DROP_BLOCKS_PER_SM)
step_drop(const __grid_constant__ Drop a) {
  drop<TYPE, false>(a);
}

extern "C" __global__ void __launch_bounds__(DROP_THREADS, DROP_MEAN_BLOCKS_PER_SM)
step_drop_mean(const __grid_constant__ Drop a) {
  drop<TYPE, true>(a);
}

extern "C" __global__ void step_embed(const __grid_constant__ Embed a) { embed<TYPE>(a); }

extern "C" __global__ void __launch_bounds__(HEADS_THREADS) step_heads(const __grid_constant__ Heads a) {
  prompt_heads<TYPE>(a);
}
