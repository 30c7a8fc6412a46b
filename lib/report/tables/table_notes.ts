import { droppedNote, heldTexts, passesWithoutDrops } from "../results/notes.ts";
import type { Mark } from "../results/spread_types.ts";
import type { ConfigurationRecord, RawResult, RunConfig } from "../results/types.ts";

/** What a mark says of a row's times. */
const MARKS: Readonly<Record<Mark, string>> = {
  throttled: "the GPU lowered its clocks meanwhile",
  shared: "other processes ran meanwhile",
  unsteady: "times vary",
};

/** Fields of results.json that {@linkcode formatNotes} reads. */
export interface NotedResults {
  /** Which passes were made, their lengths, tokens, and the layers that are skipped. */
  config: Pick<RunConfig, "max_tokens" | "prompt_tokens" | "max_new_tokens" | "skip_layers" | "passes">;
  /** How VRAM was measured, and what each layer holds at the end, in each sample. */
  raw_results: readonly Pick<RawResult, "method" | "vram_method" | "layer_cache_sizes">[];
  /** Configurations that were measured completely, by name. */
  aggregated_stats: Readonly<Record<string, unknown>>;
  /** What each configuration dropped, its notes and marks. */
  configurations: readonly Pick<ConfigurationRecord, "name" | "method" | "dropped" | "notes" | "marks" | "doubts">[];
}

/**
 * Formats the notes under the table: the meaning of a `*` and of a `!`, each row's notes, and rows that compressed
 * nothing. Each is noted once.
 *
 * @param results A run's results.
 * @returns The lines joined by "\n"; "" if there is nothing to note.
 *
 * @example
 * ```ts
 * import { formatNotes } from "./table_notes.ts";
 *
 * console.log(formatNotes({
 *   config: { max_tokens: 1280, prompt_tokens: 512, max_new_tokens: 128, skip_layers: [0, 1] },
 *   raw_results: [],
 *   aggregated_stats: { streaming_4096: {} },
 *   configurations: [{ name: "streaming_4096", method: "streaming_llm", dropped: { quality: 0, speed: 0 } }],
 * }));
 * // Nothing was dropped in streaming_4096: all 1280 tokens of the quality pass and all 639 of the speed pass are kept
 * ```
 */
export function formatNotes(results: NotedResults): string {
  const measured = results.configurations.filter(({ name }) => results.aggregated_stats[name] !== undefined);
  return [
    ...(measured.some(({ name }) => isOfWholeGpu(results, name))
      ? [
        "* VRAM: NVML does not list this process, so it is the whole GPU's use over its level at the start, other processes included",
      ]
      : []),
    ...markLines(measured),
    ...measured.flatMap((record) => {
      const dropped = droppedNote(record, results.config);
      return (record.notes ?? []).filter((note) => note !== dropped).map((note) => `${record.name}: ${note}`);
    }),
    ...dropLines(measured, results),
  ].join("\n");
}

/** Whether a configuration's VRAM is the whole GPU's, in at least one of its samples. */
export function isOfWholeGpu(
  { raw_results = [] }: { raw_results?: readonly Pick<RawResult, "method" | "vram_method">[] },
  name: string,
): boolean {
  return raw_results.some(({ method, vram_method }) => method === name && vram_method === "device");
}

/** Rows up to which each row's doubts have lines of their own. */
const FEW = 3;

/** One line for each kind of mark, with the rows that have it; of a few rows, what was seen. */
function markLines(records: NotedResults["configurations"]): string[] {
  const marked = records.filter(({ marks = [] }) => marks.length > 0);
  const seen = marked.length > FEW
    ? []
    : marked.flatMap(({ name, doubts = [] }) => doubts.map((text) => `${name}: ${text}`));
  const lines = (Object.keys(MARKS) as Mark[]).flatMap((mark) => {
    const rows = records.filter(({ marks = [] }) => marks.includes(mark));
    if (rows.length === 0) return [];
    const names = rows.length > 3 && rows.length === records.length
      ? "every row"
      : rows.map(({ name }) => name).join(", ");
    return [`! ${mark} (${MARKS[mark]}): ${names}`];
  });
  return [...lines, ...seen];
}

/** One line for the rows that keep everything in the same passes. */
function dropLines(records: NotedResults["configurations"], { config, raw_results }: NotedResults): string[] {
  const groups = Map.groupBy(records, (record) => passesWithoutDrops(record, config.passes).join());
  return [...groups.values()].flatMap((rows) => {
    const passes = passesWithoutDrops(rows[0]!, config.passes);
    if (passes.length === 0) return [];
    const all = rows.length > 3 && rows.length === records.filter(({ method }) => method !== "baseline").length;
    const names = all ? "any row" : rows.map(({ name }) => name).join(", ");
    const layers = raw_results[0]?.layer_cache_sizes.length;
    const why = layers === config.skip_layers.length
      ? `all ${layers} layers are skipped (skip_layers)`
      : `${heldTexts(passes, config)} are kept`;
    return [`Nothing was dropped in ${names}: ${why}`];
  });
}

/**
 * Formats the legend: the method and all parameters of each row, because names in the table are short. If rows number
 * tokens in different ways, it shows how. The full cache and the control group, whose names are complete, are left out.
 *
 * @param results A run's configurations.
 * @returns One line per row, joined by "\n"; "" if no row needs one.
 *
 * @example
 * ```ts
 * import { formatLegend } from "./table_notes.ts";
 *
 * const params = { observation_window: 32, keep_size: 512, pooling_kernel: 5 };
 * const row = { name: "snapkv_512", method: "snapkv_lite", params, positions: "absolute" };
 * console.log(formatLegend({ configurations: [row] }));
 * // snapkv_512            snapkv_lite: observation_window 32, keep_size 512, pooling_kernel 5
 * ```
 */
export function formatLegend(
  { configurations }: {
    configurations: readonly Pick<ConfigurationRecord, "name" | "method" | "params" | "positions">[];
  },
): string {
  const rows = configurations.filter(({ method }) => method !== "baseline" && method !== "recent_only");
  const width = Math.max(20, ...rows.map(({ name }) => name.length)) + 2;
  const several = new Set(configurations.map(({ positions }) => positions)).size > 1;
  return rows.map(({ name, method, params, positions }) => {
    const values = Object.entries(params).map(([param, value]) => `${param} ${value}`).join(", ");
    const terms = several ? `; positions ${positions}` : "";
    return `${name.padEnd(width)}${method}${values === "" ? "" : `: ${values}`}${terms}`;
  }).join("\n");
}
