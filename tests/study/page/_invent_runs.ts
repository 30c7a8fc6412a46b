/** Invented runs for the page's tests: the figures mean nothing. */
import type { FoundResults } from "../../../lib/study/find_results.ts";
import type { Mark } from "../../../lib/report/results/spread_types.ts";
import type { NeedleCell } from "../../../lib/study/page/needles.ts";
import { inventComparison, inventDivergence, inventHeld, inventInterval, inventRounds } from "../../report/_invent.ts";

/** What an invented run is to be. */
export interface InventedRun {
  folder?: string;
  timestamp?: string;
  model?: string;
  commit?: string;
  host?: string;
  /** Factor of all times: a slower commit. */
  slower?: number;
  methods?: readonly string[];
  /** Shares of the full cache, percent. */
  budgets?: readonly number[];
  marks?: Record<string, Mark[]>;
  needles?: NeedleCell[];
  device?: "cuda" | "cpu";
  max_tokens?: number;
}

/** Methods of the suite, in the order of invented tables. */
export const METHODS = [
  "streaming_llm",
  "h2o",
  "snapkv",
  "tova",
  "keydiff",
  "pyramid_kv",
  "adaptive_l2",
  "recent_only",
];

/** Invents a run of methods at budgets: quality and speed follow the budget and the method. */
export function inventRun(run: InventedRun = {}): FoundResults {
  const { methods = METHODS.slice(0, 3), budgets = [10, 25, 50], slower = 1, marks = {} } = run;
  const settings = { model_id: run.model ?? "example/model-1b", timestamp: run.timestamp ?? "20250101_020000" };
  const names = methods.flatMap((method) =>
    budgets.map((budget) => ({ method, budget, name: `${method}_${budget}%` }))
  );
  const tpot = (place: number, budget: number) => slower * (0.004 + 0.00003 * budget + 0.0002 * place);
  const results = inventRounds({
    baseline: [{ tpot: tpot(0, 100) }],
    ...Object.fromEntries(names.map(({ name, method, budget }) => [name, [{
      tpot: tpot(methods.indexOf(method), budget),
      perplexity: 20 + (100 - budget) / (5 + methods.indexOf(method)),
      final_cache_size: 20 * budget,
    }]])),
  }, { ...settings, max_tokens: run.max_tokens ?? 2000, device: run.device ?? "cuda" });
  for (const record of results.configurations) {
    const known = names.find(({ name }) => name === record.name);
    record.method = known?.method ?? "baseline";
    if (marks[record.name]) record.marks = marks[record.name]!;
    if (marks[record.name]) record.doubts = ["other processes kept up to 1.4 cores busy in 3 of 3 speed passes"];
    if (known === undefined) continue;
    const { budget, method } = known;
    const place = methods.indexOf(method);
    record.params = { heavy_size: 20 * budget, recent_size: 4 + place };
    record.budget = { asked: `${budget}%`, entries: 20 * budget, held_entries: 20 * budget };
    const held = inventHeld({ share: budget / 100, mean_kv_bytes: budget * 2 ** 16 * (1 + place / 50) });
    record.held = { speed: held, quality: held };
    const ratio = tpot(place, budget) / tpot(0, 100);
    const worse = Math.log((20 + (100 - budget) / (5 + place)) / 42.35);
    results.comparisons![record.name] = inventComparison({
      time: {
        rounds: 6,
        by: "wilcoxon",
        ttft: inventInterval(1.01, 0.98, 1.04),
        tpot: inventInterval(ratio, ratio * 0.98, ratio * 1.03),
        throughput: inventInterval(1 / ratio, 0.97 / ratio, 1.02 / ratio),
      },
      quality: {
        ln_ppl_ratio: inventInterval(worse, worse - 0.02, worse + 0.02),
        ln_ppl_ratio_evicted: null,
        accuracy: inventInterval(-0.01, -0.015, -0.005),
        texts: 1,
      },
    });
    const kl = 0.4 * Math.exp(-budget / 12) / (1 + place);
    results.divergence![record.name] = inventDivergence({ mean_kl: inventInterval(kl, kl * 0.8, kl * 1.3) });
  }
  results.environment.git_commit = (run.commit ?? "0123456789abcdef").padEnd(40, "0");
  results.environment.host = run.host ?? "node1";
  results.environment.code_sha256 = "c".repeat(64);
  const folder = run.folder ?? `${settings.timestamp}_${settings.model_id.split("/").at(-1)}`;
  return {
    file: `/results/${folder}/results.json`,
    results: Object.assign(results, run.needles ? { needles: run.needles } : {}),
  };
}

/** A month of nights: the commit changes at the tenth, and everything is slower from the twentieth on. */
export function inventNights(count: number, run: InventedRun = {}): FoundResults[] {
  return Array.from({ length: count }, (_, night) =>
    inventRun({
      ...run,
      timestamp: `202501${String(night + 1).padStart(2, "0")}_020000`,
      commit: ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"][Math.floor(night / 10)]!,
      slower: (night >= 20 ? 1.1 : 1) * (1 + 0.004 * Math.sin(night * 7)),
    }));
}

/** A sweep: each cell has a results.json of its own, which holds the job's baseline, too. */
export function inventSweep(cells: number): FoundResults[] {
  const found: FoundResults[] = [];
  for (let job = 0; found.length < cells; job++) {
    const { results } = inventRun({
      methods: METHODS,
      budgets: [10, 20, 30, 40, 50],
      model: `example/model-${1 + job % 3}b`,
      max_tokens: 1000 * (1 + Math.floor(job / 3)),
      timestamp: `20250101_${String(job % 24).padStart(2, "0")}0000`,
    });
    for (const { name } of results.configurations.slice(1)) {
      if (found.length === cells) break;
      const isKept = (method: string) => method === name || method === "baseline";
      const steps = Array.from({ length: 2000 }, (_, step) => 3 + Math.sin(step));
      found.push({
        file: `/sweep/cells/${found.length}/results.json`,
        results: {
          ...results,
          configurations: results.configurations.filter((record) => isKept(record.name)),
          raw_results: results.raw_results.filter(({ method }) => isKept(method)).map((raw) => ({
            ...raw,
            nll: steps,
          })),
          aggregated_stats: Object.fromEntries(
            Object.entries(results.aggregated_stats).filter(([method]) => isKept(method)),
          ),
        },
      });
    }
  }
  return found;
}

/** Answers about needles: fewer right ones in longer texts. */
export function inventNeedles(configuration: string): NeedleCell[] {
  return [1000, 2000, 4000, 8000].flatMap((tokens, length) =>
    [0, 0.25, 0.5, 0.75, 1].map((depth) => ({
      configuration,
      tokens,
      depth,
      score: Math.round(10 * Math.max(0, 1 - length * 0.3 * (1.2 - depth))) / 10,
      n: 20,
    }))
  );
}
