/** A benchmark of github-action-benchmark's tools customSmallerIsBetter and customBiggerIsBetter. */
export interface GithubBenchmark {
  /** Unique, and the same in every run: the action follows it over time. */
  name: string;
  unit: string;
  value: number;
  /** Spread, as shown next to the value. */
  range?: string;
  /** Shown in the tooltip. */
  extra?: string;
}

/** A record of `rows` with its run. */
type Row = Readonly<Record<string, string | number | null>>;

/** Column → what the action calls it, its unit, and the column of its spread. */
const FIGURES: Readonly<
  Record<string, readonly (readonly [column: string, name: string, unit: string, std?: string])[]>
> = {
  smaller: [
    ["tpot_s", "TPOT", "s", "tpot_std_s"],
    ["ttft_s", "TTFT", "s", "ttft_std_s"],
    ["perplexity", "perplexity", "PPL", "perplexity_std"],
    ["kl_nats", "KL from the full cache", "nats"],
    ["kv_mean_bytes", "keys and values held", "bytes"],
    ["peak_vram_gib", "peak VRAM", "GiB"],
  ],
  bigger: [
    ["throughput_tokens_per_s", "throughput", "tokens/s", "throughput_std_tokens_per_s"],
    ["accuracy", "accuracy", "share", "accuracy_std"],
    ["same_top", "top token as with the full cache", "share"],
  ],
};

/**
 * Lists the last measurement of each cell for github-action-benchmark: an array of name, unit, value, range and extra.
 * The action takes one direction for a whole file, so smaller-is-better and bigger-is-better are two files.
 *
 * @example
 * ```ts
 * import { githubBenchmarks } from "./github.ts";
 *
 * const row = { model: "gpt2", text: "pg19", name: "baseline", dtype: "float32", hardware: "EPYC, 8 cores", series: "1" };
 * console.log(githubBenchmarks([{ ...row, status: "done", tpot_s: 0.004 }], "smaller")[0]?.name);
 * // gpt2 pg19 baseline float32 on EPYC, 8 cores: TPOT
 * ```
 *
 * @param rows Records of `rows` with their runs', by when the runs began.
 * @param direction "smaller" or "bigger".
 */
export function githubBenchmarks(rows: readonly Row[], direction: string): GithubBenchmark[] {
  const last = new Map<string, Row>();
  for (const row of rows) if (row["status"] === "done") last.set(`${row["series"]} ${row["hardware"]}`, row);
  const named = [...last.values()].map((row) => [nameOf(row), row] as const);
  const count = Map.groupBy(named, ([name]) => name);
  return named.flatMap(([name, row]) => {
    // Cells that differ in lengths or parameters alone would have one name.
    const unique = count.get(name)!.length > 1 ? `${name} ${row["series"]}` : name;
    return (FIGURES[direction] ?? []).flatMap(([column, figure, unit, std]): GithubBenchmark[] => {
      const value = row[column];
      if (typeof value !== "number" || !Number.isFinite(value)) return [];
      const spread = std === undefined ? null : row[std];
      return [{
        name: `${unique}: ${figure}`,
        unit,
        value,
        ...(typeof spread === "number" && spread > 0 ? { range: `± ${Number(spread.toPrecision(3))}` } : {}),
        extra: extraOf(row),
      }];
    });
  });
}

function nameOf({ model, text, name, dtype, hardware }: Row): string {
  return `${model} ${text} ${name} ${dtype} on ${hardware}`;
}

function extraOf({ started, host, git_commit, prompt_tokens, max_tokens, series }: Row): string {
  const commit = typeof git_commit === "string" ? `commit ${git_commit.slice(0, 10)}\n` : "";
  return `${started} on ${
    host ?? "an unknown host"
  }\n${commit}prompt ${prompt_tokens}, quality ${max_tokens} tokens\n` +
    `series ${series}`;
}
