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
