/** Faults in the kernels' CUDA source: `deno task parity cuda kernels` must notice them, on a GPU. */
import type { CudaMutant } from "./mutant.ts";

const of = (file: string, parity: string) =>
(
  ...faults: readonly (readonly [name: string, find: string, replace: string, parity?: string])[]
): CudaMutant[] =>
  faults.map(([name, find, replace, own]) => ({
    name: `cuda: ${name}`,
    file: `lib/kernels/cuda/${file}`,
    find,
    replace,
    parity: own ?? parity,
  }));

/** All of them. */
export const CUDA_MUTANTS: readonly CudaMutant[] = [
  ...of("drop.cuh", "h2o")(
    [
      "4 of 48 rows drop the highest score",
      "lowest = fminf(lowest, stack[i]); // skips NaN",
      "{ if (row % 12 == 5) stack[i] = -stack[i]; lowest = fminf(lowest, stack[i]); }",
      "h2o_l2",
    ],
    [
      "drops the highest score",
      "lowest = fminf(lowest, stack[i]); // skips NaN",
      "lowest = fminf(lowest, stack[i] = -stack[i]);",
    ],
    [
      "the middle ends one early",
      "for (int i = sink + t; i < end; i += DROP_THREADS) lowest",
      "for (int i = sink + t; i < end - 1; i += DROP_THREADS) lowest",
    ],
    [
      "the entry after the dropped one keeps its rank",
      "else if (r > dropped && r < last)",
      "else if (r > dropped + 1 && r < last)",
    ],
    [
      "the newest keeps its rank",
      "else if (slot == freed) rank[slot] = last - 1;",
      "else if (slot == freed) rank[slot] = last;",
    ],
    [
      "a reused slot keeps its former entry's sum",
      "paid[slot] = slot >= past ? now : kept[slot] + now;",
      "paid[slot] = kept[slot] + now;",
    ],
    [
      "the sum does not move with its entry",
      "kept[slot] = slot == freed ? paid[last] : paid[slot];",
      "kept[slot] = paid[slot];",
    ],
    ["the query at the ring's place counts twice", "sum += w == ring_index ? 0.f : kept", "sum += kept", "snapkv"],
    [
      "former queries stay in the freed slot",
      "const float value = w == ring_index ? now : 0.f;",
      "const float value = w == ring_index ? now : kept[(i64)w * width + freed];",
      "snapkv",
    ],
    ["pooling is shifted by one", "const int j = i - before + k;", "const int j = i - before + k + 1;", "snapkv"],
    [
      "the norm does not move with its entry",
      "if (norms) norms[freed] = norms[last] = newest_norm;",
      "if (norms) norms[last] = newest_norm;",
      "h2o_l2",
    ],
    ["the layer's heads choose each for itself", "if (!a.share_layer) return", "if (true) return", "tova"],
    ["the value does not move with its key", "i < 2 * vecs && freed != last", "i < vecs && freed != last"],
  ),
  ...of("attend.cuh", "baseline")(
    ["scores are not scaled", "sum[l][g] * a.scale;", "sum[l][g];"],
    ["angles turn the other way", "out[i] = u * c - v * s;", "out[i] = u * c + v * s;"],
    [
      "norms of heads have no eps",
      "warp_sum(squares) / n + a.eps",
      "warp_sum(squares) / n + 100 * a.eps",
      "qwen3, baseline",
    ],
    [
      "keys turn by the next rank",
      "const i64 rank = (i64)ranks[e];",
      "const i64 rank = (i64)ranks[e] + (e & 1);",
      "@cache",
    ],
  ),
  ...of("choose.cuh", "baseline")(
    [
      "the NLL is that of the token before the target",
      "value - a.logits[*a.target]",
      "value - a.logits[*a.target > 0 ? *a.target - 1 : 0]",
    ],
    [
      "the sum of exponentials misses a block",
      "for (int b = threadIdx.x; b < (int)gridDim.x; b += blockDim.x) {\n    sum +=",
      "for (int b = threadIdx.x; b < (int)gridDim.x - 1; b += blockDim.x) {\n    sum +=",
    ],
  ),
  ...of("linear.cuh", "baseline")(
    ["norms are used as stored", "s.plus_one ? by[j] + 1.f : by[j]);", "by[j]);", "gemma, baseline"],
    ["the mean is not subtracted", "mean = sum / width;", "mean = 0;", "gpt2, baseline"],
  ),
  ...of("embed.cuh", "baseline")(
    [
      "embeddings are not scaled",
      "* a.hidden + i]) * a.scale, rounded);",
      "* a.hidden + i]), rounded);",
      "gemma, baseline",
    ],
    [
      "learned positions have no offset",
      "(*a.position + a.offset) * a.hidden",
      "(*a.position) * a.hidden",
      "opt, baseline",
    ],
  ),
];
