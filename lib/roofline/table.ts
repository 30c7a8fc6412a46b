import { kernelsNote } from "../report/tables/kernels_note.ts";
import { significant } from "../report/tables/significant.ts";
import { median } from "../report/results/stats.ts";
import type { StartFigures } from "./protocol.ts";
import type { RooflineResults, RooflineRow } from "./results.ts";

const GIB = 2 ** 30;
const MIB = 2 ** 20;

interface Column {
  readonly title: string;
  readonly unit: string;
  readonly width: number;
  readonly text: (row: RooflineRow) => string;
}

const ms = (seconds: number) => (seconds * 1000).toFixed(3);
const percent = (share: number) => (100 * share).toFixed(1);
const orDash = <T>(value: T | null, text: (value: T) => string) => value === null ? "-" : text(value);

const COLUMNS: readonly Column[] = [
  { title: "Attention", unit: "", width: 10, text: ({ attention }) => attention },
  { title: "Kernels", unit: "", width: 9, text: ({ raw }) => raw.kernels },
  { title: "Cache", unit: "entries", width: 8, text: ({ length }) => `${length}` },
  { title: "Floor", unit: "ms", width: 8, text: ({ floor_s }) => ms(floor_s) },
  { title: "TPOT", unit: "ms", width: 9, text: ({ tpot_s }) => ms(tpot_s.median) },
  { title: "p95", unit: "ms", width: 9, text: ({ tpot_s }) => ms(tpot_s.p95) },
  { title: "n", unit: "", width: 5, text: ({ tpot_s }) => `${tpot_s.n}` },
  { title: "Ratio", unit: "x floor", width: 8, text: ({ ratio }) => ratio.toFixed(2) },
  { title: "Evict", unit: "%", width: 7, text: ({ eviction_share }) => orDash(eviction_share, percent) },
  { title: "Device", unit: "ms", width: 9, text: ({ device_s }) => ms(device_s) },
  { title: "Host", unit: "%", width: 6, text: ({ host_share }) => percent(host_share) },
  {
    title: "TTFT",
    unit: "ms",
    width: 9,
    text: ({ ttft }) => orDash(ttft, ({ median_s }) => (1000 * median_s).toFixed(1)),
  },
  {
    title: "Prefill",
    unit: "TFLOP/s",
    width: 8,
    text: ({ ttft }) => orDash(ttft, ({ flops_per_s }) => significant(flops_per_s / 1e12, 3)),
  },
  { title: "Theory", unit: "GiB", width: 8, text: ({ memory }) => (memory.theory / GIB).toFixed(3) },
  {
    title: "VRAM",
    unit: "GiB",
    width: 8,
    text: ({ memory }) => orDash(memory.peak, (peak) => (peak / GIB).toFixed(3)),
  },
  {
    title: "Rest",
    unit: "MiB",
    width: 7,
    text: ({ memory }) => orDash(memory.rest, (rest) => (rest / MIB).toFixed(0)),
  },
];
const NAME_WIDTH = 16;

/**
 * Formats the tables of the engine benchmark: the terms, the rows by cache length, the length from which on a method is
 * faster than the full cache, and what the columns mean.
 *
 * @param results All results.
 * @returns The lines joined by "\n", without one at the end.
 */
export function formatRoofline(results: RooflineResults): string {
  const kernels = kernelsNote(
    results.rows.map(({ method, length, raw }) => ({ ...raw, name: `${method} at ${length}` })),
  );
  return [terms(results), rowTable(results), kernels, breakEvenTable(results), legend(results)].filter(Boolean).join(
    "\n\n",
  );
}

function terms({ config, model, bandwidth, bandwidths, control, start, environment }: RooflineResults): string {
  const gbs = (rate: number) => `${significant(rate / 1e9, 4)} GB/s`;
  const others = bandwidth.ways.filter(({ method }) => method !== bandwidth.method)
    .map(({ method, rounds, failed }) => `${method}: ${failed ?? gbs(middle(rounds))}`);
  const { rounds } = bandwidth.ways.find(({ method }) => method === bandwidth.method)!;
  return [
    `${config.model}${config.random_weights ? ", random weights" : ""}; ${
      environment.gpu?.name ?? environment.cpu.model
    } (${config.device}${clocks(environment.gpu)}), ${config.dtype}; ONNX Runtime ${environment.onnxruntime}`,
    `Memory is read at ${gbs(bandwidth.bytes_per_s)}: ${bandwidth.method}, ${
      significant(bandwidth.buffer_bytes / MIB, 4)
    } MiB, median of ${rounds.length} (${[Math.min(...rounds), Math.max(...rounds)].map(gbs).join(" to ")}); ${
      others.join("; ")
    }; before the rows and after: ${bandwidths.map(({ bytes_per_s }) => gbs(bytes_per_s)).join(", ")}`,
    `A step reads ${(model.stepWeightBytes / 1e9).toFixed(3)} GB of weights: ${
      ms(model.stepWeightBytes / bandwidth.bytes_per_s)
    } ms; and ${significant(model.entryBytes / 1000, 3)} KB for each entry and layer`,
    control === null
      ? "The first row could not be measured again at the end: the uncertainty of comparisons between rows is unknown"
      : `The first row, measured again at the end: ${ms(control.first_s)} and ${ms(control.again_s)} ms; ` +
        `differences between rows of up to ${percent(control.drift)} % mean nothing`,
    ...(start === null ? [] : [startLine(start)]),
  ].join("\n");
}

/** How long it takes until the first token, by part. */
function startLine({ prompt_tokens, first_token_s, parts, reading_s, read_s, file_bytes }: StartFigures): string {
  const s = (seconds: number) => seconds.toFixed(2);
  const once = median(read_s);
  const { process_s, folder_s, library_s, policy_s, block_s, kernels_s, sessions_s, waiting_s, prompt_s } = parts;
  return `From the start of a process to the first token after ${prompt_tokens}: ${s(first_token_s)} s, ${
    s(first_token_s / once)
  } times reading the weights' ${(file_bytes / 1e9).toFixed(2)} GB once (${s(once)} s, page cache): process ${
    s(process_s)
  }, headers ${s(folder_s)}, ONNX Runtime and device ${s(library_s)}, policy ${s(policy_s)}, kernels ${
    s(block_s + kernels_s)
  }, sessions ${s(sessions_s)}, waiting for weights ${s(waiting_s)}${
    reading_s === 0 ? "" : ` (read in ${s(reading_s)})`
  }, prompt ${s(prompt_s)}`;
}

/** The clocks at which memory was read. */
function clocks(gpu: RooflineResults["environment"]["gpu"]): string {
  if (!gpu?.clocks_mhz.sm) return "";
  const { sm, memory, max_sm } = gpu.clocks_mhz;
  return `, SM at ${sm} of ${max_sm} MHz, memory at ${memory}`;
}

function rowTable({ rows, failures }: RooflineResults): string {
  const names = rows.map(({ method }) => method.length + 1);
  const name = Math.max(NAME_WIDTH, ...names);
  const line = (first: string, cells: readonly string[]) =>
    first.padEnd(name) + cells.map((cell, i) => cell.padStart(COLUMNS[i]!.width)).join("");
  const title = line("Method", COLUMNS.map(({ title }) => title));
  const lines = [title, line("", COLUMNS.map(({ unit }) => unit)).trimEnd(), "-".repeat(title.length)];
  let last: number | undefined;
  for (const row of rows) {
    if (last !== undefined && row.length !== last && rows.some((other) => other.method !== "baseline")) lines.push("");
    last = row.length;
    lines.push(line(row.method, COLUMNS.map(({ text }) => text(row))));
  }
  for (const { method, length, reason } of failures) lines.push(`${method.padEnd(name)} ${length}: failed: ${reason}`);
  return [...lines, "=".repeat(title.length)].join("\n");
}

function breakEvenTable({ break_even, config }: RooflineResults): string {
  if (break_even.length === 0) return "";
  const [{ within }] = break_even as [RooflineResults["break_even"][number]];
  const budgets = config.lengths;
  const place = (length: number | null, budget: number) =>
    length === null ? `never within ${within}` : length === budget ? "its budget" : `${length}`;
  const cell = (method: string, budget: number) => {
    const found = break_even.find((other) => other.method === method && other.budget === budget);
    if (!found) return "-";
    const { length, earliest, latest } = found;
    const short = (length: number | null) => length === null ? `>${within}` : `${length}`;
    const range = earliest === latest ? "" : ` (${short(earliest)} to ${short(latest)})`;
    return `${place(length, budget)}${range}`;
  };
  const methods = [...new Set(break_even.map(({ method }) => method))];
  const cells = methods.map((method) => budgets.map((budget) => cell(method, budget)));
  const widths = budgets.map((budget, i) => Math.max(`at ${budget}`.length, ...cells.map((row) => row[i]!.length)) + 2);
  const line = (first: string, row: readonly string[]) =>
    first.padEnd(NAME_WIDTH) + row.map((text, i) => text.padStart(widths[i]!)).join("");
  return [
    "Break-even: from which length on a method is faster than the full cache",
    line("Budget", budgets.map((budget) => `${budget}`)),
    ...methods.map((method, i) => line(method, cells[i]!)),
  ].join("\n");
}

function legend({ config, rows, break_even }: RooflineResults): string {
  const cuda = config.device === "cuda";
  const fast = rows.some(({ ratio }) => ratio < 1);
  return [
    ...(fast
      ? ["A ratio below 1: the weights fit in a cache, or other work ran on this machine while memory was read."]
      : []),
    "Floor: bytes a step must read, over that rate: all weights once (one row of a lookup table), keys and values held (in a sliding window those within it).",
    "TPOT: median step until its token is on the host. Each step's entry is given back, so that the full cache keeps its length. No layer is skipped.",
    "Evict: TPOT less the full cache's at the same length, form of attention and kernels, as a share of TPOT.",
    cuda
      ? "Device: a step's time when steps are queued without waiting for tokens. Host: the rest, as a share of TPOT: launch, copies, waking up."
      : "Device: a step's time within ONNX Runtime. Host: the rest, as a share of TPOT.",
    "TTFT: a prompt of that length. Prefill: counts 2 operations for each weight and token, causal attention, the output matrix once.",
    "Theory: weights and entries held." +
    (cuda
      ? ` VRAM: the process's peak over its level before the model, prefill included; ${
        config.isolated
          ? "a process for each row."
          : "a process for each method, which keeps memory that shorter lengths took: --isolate gives each row its own."
      }`
      : ""),
    ...(break_even.length > 0
      ? [
        `Break-even: full cache measured at ${
          config.full_lengths.join(", ")
        }, linear between; in brackets the range that the medians' 95 % intervals allow, widened by the first row's difference from itself.`,
      ]
      : []),
  ].join("\n");
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
