import type { SpeculativeResults, SpeculativeRow } from "../../report/results/speculative_types.ts";
import { formatGrid } from "../../report/tables/grid.ts";
import { significant } from "../../report/tables/significant.ts";

const MIB = 2 ** 20;

/** Positions whose acceptance is shown. */
const POSITIONS = 4;

/**
 * Formats the tables of a speculative run: the terms, a row for each draft, gamma and length, the break-even, and what
 * is to be known about the figures.
 *
 * @param results All results.
 * @param width Characters of a line; no limit if left out.
 * @returns The lines joined by "\n", without one at the end.
 */
export function formatSpeculative(results: SpeculativeResults, width?: number): string {
  return [terms(results), rowTable(results, width), breakEvenLines(results), notes(results)].filter(Boolean).join(
    "\n\n",
  );
}

function terms({ config, environment }: SpeculativeResults): string {
  const { model_id, device, dtype, attention, dataset, workload, max_new_tokens, temperature, top_p, repetitions } =
    config;
  const choice = temperature === 0 ? "greedy" : `temperature ${temperature}, top_p ${top_p}`;
  return `${model_id}, ${
    environment.gpu?.name ?? environment.cpu.model
  } (${device}), ${dtype}, ${attention} attention; ` +
    `${dataset} (${workload}), ${max_new_tokens} tokens, ${choice}; ${repetitions} rounds`;
}

function rowTable({ rows }: SpeculativeResults, width?: number): string {
  const columns = [
    { title: "Context", group: 0 },
    { title: "TPOT ms", group: 0 },
    { title: "Speed-up", group: 0 },
    { title: "Predicted", group: 0 },
    { title: "Tokens/verif.", group: 1 },
    { title: "Accept %", group: 1 },
    { title: "by position %", group: 1 },
    { title: "Draft %", group: 2 },
    { title: "Verify %", group: 2 },
    { title: "Host %", group: 2 },
    { title: "Cache MiB", group: 3 },
    { title: "Draft MiB", group: 3 },
  ];
  return formatGrid({
    title: "Draft",
    columns,
    rows: rows.map((row) => ({ name: row.name, cells: cellsOf(row) })),
    ruled: true,
  }, width);
}

function cellsOf(
  { length, tpot_s, speedup, draft_figures: figures, memory: { cache, draft } }: SpeculativeRow,
): string[] {
  const percent = (share: number) => (100 * share).toFixed(1);
  const of = (text: (of: NonNullable<typeof figures>) => string) => figures ? text(figures) : "-";
  const interval = speedup && Number.isFinite(speedup.low)
    ? ` [${speedup.low.toFixed(2)}, ${speedup.high.toFixed(2)}]`
    : "";
  return [
    `${length}`,
    significant(1000 * tpot_s, 4),
    speedup ? `${speedup.estimate.toFixed(2)}x${interval}` : "-",
    of(({ predicted_speedup }) => `${predicted_speedup.toFixed(2)}x`),
    of(({ tokens_per_verification }) => tokens_per_verification.toFixed(2)),
    of(({ acceptance }) => percent(acceptance)),
    of(({ acceptance_by_position: shares }) =>
      shares.slice(0, POSITIONS).map((share) => (100 * share).toFixed(0)).join(" ") +
      (shares.length > POSITIONS ? " …" : "")
    ),
    of(({ draft_share }) => percent(draft_share)),
    of(({ verify_share }) => percent(verify_share)),
    of(({ host_share }) => percent(host_share)),
    (cache / MIB).toFixed(1),
    draft ? `${((draft.cache_bytes + draft.weight_bytes) / MIB).toFixed(1)} ${draft.kind}` : "-",
  ];
}

function breakEvenLines({ break_even }: SpeculativeResults): string {
  return break_even.map(({ draft, length, earliest, latest, within }) => {
    if (length === null) {
      const perhaps = earliest === null ? "" : ` (its interval allows from ${earliest} on)`;
      return `${draft}: not faster than plain decoding up to a context of ${within}${perhaps}`;
    }
    const ends = `${earliest ?? "?"} to ${latest ?? `over ${within}`}`;
    return `${draft}: faster than plain decoding from a context of ${length} on (${ends}), at its best gamma`;
  }).join("\n");
}

function notes({ config, rows, failures }: SpeculativeResults): string {
  const drafted = rows.flatMap(({ name, length, draft_figures: figures }) =>
    figures ? [{ name, length, figures }] : []
  );
  const others = drafted.filter(({ figures: { equals_plain } }) => equals_plain === false);
  const oracles = config.drafts.some((draft) => draft.startsWith("oracle:"));
  return [
    verification(config),
    ...(others.length === 0 && config.temperature === 0 && drafted.length > 0
      ? ["Every text is that of plain decoding, token for token"]
      : []),
    ...(config.temperature > 0
      ? ["Texts are sampled: they are not compared, their distribution is that of plain decoding"]
      : []),
    ...others.map(({ name, length }) => `${name} at ${length}: the text is NOT that of plain decoding`),
    ...(oracles ? ["An oracle's acceptance is set, not measured: its rows show the engine's cost alone"] : []),
    ...failures.map(({ name, reason }) => `${name} failed: ${reason}`),
  ].join("\n");
}

function verification({ verification, verification_reason, bit_equal }: SpeculativeResults["config"]): string {
  const why = verification_reason === undefined ? "" : `: ${verification_reason}`;
  switch (verification) {
    case "rows":
      return "Drafts are verified in one pass whose sums run as in steps, so that logits have the same bits";
    case "steps":
      return `Drafts are verified token by token, which costs what plain decoding costs${why}`;
    case "pass":
      return `Drafts are verified in an ordinary pass of several tokens: ${
        bit_equal ? "" : "its logits are not bit-equal to those of steps"
      }${why}`;
  }
}
