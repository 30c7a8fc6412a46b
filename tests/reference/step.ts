/**
 * The kernels of a step in plain loops over the host's memory, float32 with sums in float64: the reference for those in
 * CUDA. With ONNX Runtime's CPU provider, they make all of a step except the CUDA code run without a GPU.
 */
import type { StepKernels } from "../../lib/kernels/kernels.ts";
import type {
  AttendArguments,
  ChooseArguments,
  DropArguments,
  EmbedArguments,
  HeadRows,
  HeadsArguments,
  LinearProduct,
  LinearSegment,
  PromptRows,
} from "../../lib/kernels/structs.ts";
import { CpuDevice } from "../../lib/ort/cpu_device.ts";
import { gelu, geluTanh } from "./neox.ts";
import { uniform } from "./cache.ts";
import { carriedSums } from "../kernels/_carried_sums.ts";
import { runProgram } from "./stack_machine.ts";

type Pointer = Deno.PointerValue;

const view = (at: Pointer, bytes: number) => Deno.UnsafePointerView.getArrayBuffer(at!, bytes);
const floats = (at: Pointer, count: number) => new Float32Array(view(at, 4 * count));
const long = (at: Pointer) => Number(new BigInt64Array(view(at, 8))[0]!);

const ACTIVATIONS = {
  gelu,
  gelu_tanh: geluTanh,
  relu: (x: number) => Math.max(0, x),
  silu: (x: number) => x / (1 + Math.exp(-x)),
};

/** How often each kernel was called. */
export type Calls = Record<"linear" | "attend" | "embed" | "choose" | "drop" | "heads", number>;

/** See {@linkcode StepKernels}. */
export class ReferenceKernels implements StepKernels {
  readonly dtype = "float32";
  readonly calls: Calls = { linear: 0, attend: 0, embed: 0, choose: 0, drop: 0, heads: 0 };
  readonly #device = new CpuDevice();
  #observed: ReturnType<CpuDevice["allocate"]> | undefined;

  linear(segments: readonly LinearSegment[]): void {
    this.calls.linear++;
    for (const { rows, products: [first, second], combine, activation, norm, residual, out } of segments) {
      const { transposed = false } = first;
      if (second && (second.transposed ?? false) !== transposed) throw new Error("one product of two is transposed");
      const product = (p: LinearProduct, x: ArrayLike<number>) => {
        const weight = floats(p.weight, rows * p.width);
        const bias = p.bias ? floats(p.bias, rows) : undefined;
        return (row: number) => {
          let sum = 0;
          for (let i = 0; i < p.width; i++) sum += weight[transposed ? i * rows + row : row * p.width + i]! * x[i]!;
          return sum + (bias?.[row] ?? 0);
        };
      };
      const input = floats(first.input, first.width);
      const x = norm ? normalized(input, norm) : input;
      const a = product(first, x);
      const b = second && product(second, combine === "sum" ? floats(second.input, second.width) : x);
      const before = residual ? floats(residual, rows) : undefined;
      const activate = activation ? ACTIVATIONS[activation] : (x: number) => x;
      const result = Float32Array.from({ length: rows }, (_, row) => {
        const one = activate(a(row));
        const both = b ? combine === "sum" ? one + b(row) : one * b(row) : one;
        return both + (before?.[row] ?? 0);
      });
      floats(out, rows).set(result);
    }
  }

  attend(a: Omit<AttendArguments, "chunk" | "partial" | "scores" | "counters">): void {
    this.calls.attend++;
    const { heads, kvHeads, headDim, capacity, rotaryDim, ranks } = a;
    const group = heads / kvHeads, half = rotaryDim / 2;
    const past = long(a.past), position = long(a.position);
    const keys = floats(a.keys, kvHeads * capacity * headDim), values = floats(a.values, keys.length);
    const out = floats(a.out, heads * headDim);
    const ranked = ranks ? floats(ranks, kvHeads * capacity) : undefined;
    const observed = a.observed ? floats(a.observed, kvHeads * capacity) : undefined;
    const rotated = (x: Float64Array, at: number) => {
      if (!a.cosine) return x;
      const [cosine, sine] = [a.cosine, a.sine!].map((table) =>
        floats(Deno.UnsafePointer.offset(table!, 4 * at * half), half)
      ) as [Float32Array, Float32Array];
      const y = x.slice();
      for (let i = 0; i < half; i++) {
        y[i] = x[i]! * cosine[i]! - x[i + half]! * sine[i]!;
        y[i + half] = x[i + half]! * cosine[i]! + x[i]! * sine[i]!;
      }
      return y;
    };
    const head = ({ pointer, stride }: HeadRows, index: number, scale?: Pointer) => {
      const x = Float64Array.from(floats(Deno.UnsafePointer.offset(pointer!, 4 * index * stride), headDim));
      if (!scale) return x;
      const weight = floats(scale, headDim);
      const inverse = 1 / Math.sqrt(x.reduce((sum, x) => sum + x * x, 0) / headDim + a.eps);
      return x.map((x, i) => x * inverse * (weight[i]! + (a.plusOne ? 1 : 0)));
    };
    for (let kv = 0; kv < kvHeads; kv++) {
      const slot = (index: number) => (kv * capacity + index) * headDim;
      const key = head(a.key, kv, a.keyScale);
      keys.set(ranked ? key : rotated(key, position), slot(past));
      values.set(head(a.value, kv), slot(past));
      const cached = Array.from({ length: past + 1 }, (_, i) => {
        const key = Float64Array.from(keys.subarray(slot(i), slot(i) + headDim));
        return ranked ? rotated(key, ranked[kv * capacity + i]!) : key;
      });
      const mean = new Float64Array(past + 1);
      for (let g = 0; g < group; g++) {
        const query = rotated(head(a.query, kv * group + g, a.queryScale), position);
        const scores = cached.map((key) => a.scale * key.reduce((sum, x, i) => sum + x * query[i]!, 0));
        const most = Math.max(...scores);
        const weights = scores.map((score) => Math.exp(score - most));
        const total = weights.reduce((a, b) => a + b);
        const result = new Float64Array(headDim);
        weights.forEach((weight, i) => {
          const share = weight / total;
          mean[i]! += share / group;
          for (let d = 0; d < headDim; d++) result[d]! += share * values[slot(i) + d]!;
        });
        out.set(result, (kv * group + g) * headDim);
      }
      observed?.set(mean, kv * capacity);
    }
  }

  embed({ id, position, table, learned, out, hidden, offset, scale }: EmbedArguments): void {
    this.calls.embed++;
    const row = (table: Pointer, index: number) =>
      floats(Deno.UnsafePointer.offset(table!, 4 * index * hidden), hidden);
    const x = row(table, long(id));
    const more = learned ? row(learned, long(position!) + offset) : undefined;
    floats(out, hidden).set(x.map((x, i) => Math.fround(x * scale) + (more?.[i] ?? 0)));
  }

  choose({ logits, target, nll, argmax, vocab }: ChooseArguments | Omit<ChooseArguments, "partial" | "counter">): void {
    this.calls.choose++;
    const all = floats(logits, vocab);
    const most = Math.max(...all);
    const total = all.reduce((sum, x) => sum + Math.exp(x - most), 0);
    floats(nll, 1)[0] = most + Math.log(total) - all[long(target)]!;
    new BigInt64Array(view(argmax, 8))[0] = BigInt(all.indexOf(most));
  }

  drop(a: DropArguments): void {
    this.calls.drop++;
    const { rows, layers, kvHeads, headDim, width, window } = a;
    const ranges = floats(a.dropRanges, 4 * layers);
    const starts = new BigInt64Array(view(a.starts, 8 * rows));
    const ringIndex = a.ringIndex ? long(a.ringIndex) : 0;
    const of = (at: Pointer | undefined, row: number, count = width) =>
      at ? floats(Deno.UnsafePointer.offset(at, 4 * row * count), count) : undefined;
    for (let row = 0; row < rows; row++) {
      const layer = Math.floor(row / kvHeads);
      const [last, sink, end, past] = [0, 1, 2, 3].map((i) => ranges[i * layers + layer]!) as [
        number,
        number,
        number,
        number,
      ];
      const entries = last + 1;
      const block = (at: Pointer) =>
        floats(Deno.UnsafePointer.offset(at!, 4 * Number(starts[row]) * headDim), entries * headDim);
      const keys = block(a.keys), values = block(a.values);
      const vector = (of: Float32Array, slot: number) => of.subarray(slot * headDim, (slot + 1) * headDim);
      const rank = of(a.rank, row)!, norm = of(a.keyNorm, row), textPosition = of(a.textPosition, row);
      const kept = of(a.attention, row, width * Math.max(1, window));
      const slots = Array.from({ length: entries }, (_, slot) => slot);
      const slotOf = slots.toSorted((x, y) => rank[x]! - rank[y]!);
      if (norm) norm[last] = Math.hypot(...keys.subarray(last * headDim));
      // Attention of this step's query, and the sum over all queries that count.
      const now = slots.map((slot) => {
        if (!kept) return 0;
        const first = a.shareLayer ? layer * kvHeads : row;
        const heads = a.shareLayer ? kvHeads : 1;
        let sum = 0;
        for (let h = first; h < first + heads; h++) sum += of(a.observed, h)![slot]!;
        return sum / heads;
      });
      const paid = slots.map((slot) => {
        if (!kept || slot >= past) return now[slot]!;
        if (!window) return kept[slot]! + now[slot]!;
        let sum = now[slot]!;
        for (let w = 0; w < window; w++) if (w !== ringIndex) sum += kept[w * width + slot]!;
        return sum;
      });

      const sums = carriedSums(a, row, { sink, end, vector: (of, rank) => vector(of ? values : keys, slotOf[rank]!) });
      let dropped = sink;
      if (a.program.instructions.length > 0) {
        const scores = this.scored(
          row,
          runProgram(a.program, {
            entries,
            sink,
            end,
            features: {
              key_norm: (rank) => norm![slotOf[rank]!]!,
              attention: (rank) => paid[slotOf[rank]!]!,
              random: (rank) => uniform(long(a.draw!), row, rank),
            },
            keys: (rank) => vector(keys, slotOf[rank]!),
            values: (rank) => vector(values, slotOf[rank]!),
          }),
        );
        let lowest = Infinity;
        for (let i = sink; i < end; i++) {
          if (scores[i]! <= lowest) [lowest, dropped] = [scores[i]!, i];
        }
      }
      const freed = slotOf[dropped]!;
      sums.forEach((sum) => sum.carryOn(dropped));

      for (const block of [keys, values]) block.copyWithin(freed * headDim, last * headDim, entries * headDim);
      if (norm) norm[freed] = norm[last]!;
      if (textPosition) textPosition[freed] = textPosition[last] = last - past + floats(a.textIndex!, 1)[0]!;
      if (kept && !window) {
        slots.forEach((slot) => kept[slot] = paid[slot]!);
        kept[freed] = paid[last]!;
      }
      if (kept && window) {
        slots.forEach((slot) => kept[ringIndex * width + slot] = now[slot]!);
        for (let w = 0; w < window; w++) {
          kept[w * width + freed] = kept[w * width + last] = w === ringIndex ? now[last]! : 0;
        }
      }
      const before = rank.slice();
      slots.forEach((slot) => {
        if (before[slot]! > dropped && before[slot]! < last) rank[slot] = before[slot]! - 1;
      });
      rank[freed] = last - 1;
      rank[last] = last;
    }
  }

  /** A row's scores; a test that plants a fault changes them. */
  protected scored(_row: number, scores: number[]): number[] {
    return scores;
  }

  heads(a: HeadsArguments): void {
    this.calls.heads++;
    const { tokens, heads, kvHeads, headDim, rotaryDim } = a;
    const half = rotaryDim / 2;
    const part = ({ rows, bias, tokenStride, headStride, out }: PromptRows, heads: number, rotated: boolean) => {
      for (let token = 0; token < tokens; token++) {
        const position = a.positions ? long(Deno.UnsafePointer.offset(a.positions, 8 * token)) : 0;
        for (let head = 0; head < heads; head++) {
          const of = (at: Pointer, offset: number) => floats(Deno.UnsafePointer.offset(at!, 4 * offset), headDim);
          const x = Float64Array.from(of(rows, token * tokenStride + head * headStride));
          if (bias) of(bias, head * headStride).forEach((b, i) => x[i]! += b);
          const y = x.slice();
          for (let i = 0; rotated && a.cosine && i < half; i++) {
            const [c, s] = [a.cosine, a.sine!].map((table) =>
              floats(Deno.UnsafePointer.offset(table!, 4 * position * half), half)[i]!
            ) as [number, number];
            y[i] = x[i]! * c - x[i + half]! * s;
            y[i + half] = x[i + half]! * c + x[i]! * s;
          }
          of(out, (token * heads + head) * headDim).set(y);
        }
      }
    };
    part(a.query, heads, true);
    part(a.key, kvHeads, true);
    part(a.value, kvHeads, false);
  }

  observed(rows: number, width: number): Deno.PointerObject {
    const bytes = 4 * rows * width;
    if (!this.#observed || this.#observed.bytes < bytes) this.#observed = this.#device.allocate(bytes);
    return this.#observed.pointer;
  }

  [Symbol.dispose](): void {
    this.#device[Symbol.dispose]();
  }
}

function normalized(x: Float32Array, { kind, scale, shift, eps, plusOne }: NonNullable<LinearSegment["norm"]>) {
  const n = x.length;
  const mean = kind === "layer" ? x.reduce((a, b) => a + b, 0) / n : 0;
  const inverse = 1 / Math.sqrt(x.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n + eps);
  const by = scale ? floats(scale, n) : undefined, plus = shift ? floats(shift, n) : undefined;
  return Float32Array.from(x, (x, i) => {
    const weight = by ? by[i]! + (plusOne ? 1 : 0) : 1;
    return (x - mean) * inverse * weight + (plus?.[i] ?? 0);
  });
}
