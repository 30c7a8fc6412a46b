/**
 * Tables of history.sqlite. docs/history.md has them too.
 *
 * @module
 */

/** Changes with the tables: a history of another number is made again. */
export const HISTORY_VERSION = 1;
/** "kvch": tells a history from other SQLite files. */
export const APPLICATION_ID = 0x6b766368;

/** Type of a column. */
export type ColumnType = "TEXT" | "INTEGER" | "REAL";

/** Column → its type, in order. */
export type Columns = Readonly<Record<string, ColumnType>>;

/** A results.json. */
export const RUN_COLUMNS = {
  file: "TEXT",
  bytes: "INTEGER",
  mtime_ms: "INTEGER",
  sha256: "TEXT",
  schema: "INTEGER",
  started: "TEXT",
  started_utc: "TEXT",
  night: "TEXT",
  duration_s: "REAL",
  host: "TEXT",
  hardware: "TEXT",
  device: "TEXT",
  gpu: "TEXT",
  driver: "TEXT",
  cpu: "TEXT",
  cores: "INTEGER",
  os: "TEXT",
  git_commit: "TEXT",
  code_sha256: "TEXT",
  kvcompress: "TEXT",
  onnxruntime: "TEXT",
  model: "TEXT",
  model_id: "TEXT",
  model_sha256: "TEXT",
  text: "TEXT",
  dataset: "TEXT",
  text_sha256: "TEXT",
  samples_sha256: "TEXT",
  num_samples: "INTEGER",
  prompt_tokens: "INTEGER",
  max_new_tokens: "INTEGER",
  max_tokens: "INTEGER",
  repetitions: "INTEGER",
  passes: "TEXT",
  seed: "INTEGER",
  command: "TEXT",
} as const satisfies Columns;

/** A configuration of a run: the fields of the CSV file of `deno task bench`, and what identifies it. */
export const ROW_COLUMNS = {
  name: "TEXT",
  series: "TEXT",
  method: "TEXT",
  params: "TEXT",
  positions: "TEXT",
  dtype: "TEXT",
  attention: "TEXT",
  kernels: "TEXT",
  policy_sha256: "TEXT",
  status: "TEXT",
  reason: "TEXT",
  samples: "INTEGER",
  rounds: "INTEGER",
  ttft_s: "REAL",
  ttft_std_s: "REAL",
  ttft_ratio: "REAL",
  ttft_ratio_low: "REAL",
  ttft_ratio_high: "REAL",
  tpot_s: "REAL",
  tpot_std_s: "REAL",
  tpot_ratio: "REAL",
  tpot_ratio_low: "REAL",
  tpot_ratio_high: "REAL",
  first_step_s: "REAL",
  step_median_s: "REAL",
  step_p95_s: "REAL",
  throughput_tokens_per_s: "REAL",
  throughput_std_tokens_per_s: "REAL",
  throughput_ratio: "REAL",
  throughput_ratio_low: "REAL",
  throughput_ratio_high: "REAL",
  perplexity: "REAL",
  perplexity_std: "REAL",
  perplexity_evicted: "REAL",
  perplexity_ln_ratio: "REAL",
  perplexity_ln_ratio_low: "REAL",
  perplexity_ln_ratio_high: "REAL",
  perplexity_evicted_ln_ratio: "REAL",
  perplexity_evicted_ln_ratio_low: "REAL",
  perplexity_evicted_ln_ratio_high: "REAL",
  accuracy: "REAL",
  accuracy_std: "REAL",
  accuracy_difference: "REAL",
  accuracy_difference_low: "REAL",
  accuracy_difference_high: "REAL",
  kl_nats: "REAL",
  kl_nats_low: "REAL",
  kl_nats_high: "REAL",
  same_top: "REAL",
  same_top_low: "REAL",
  same_top_high: "REAL",
  peak_vram_gib: "REAL",
  decode_vram_bytes: "REAL",
  cache_entries: "REAL",
  held_entries: "REAL",
  held_share: "REAL",
  kv_mean_bytes: "REAL",
  kv_final_bytes: "REAL",
  dropped_entries: "REAL",
  dropped_speed_entries: "REAL",
  marks: "TEXT",
  notes: "TEXT",
} as const satisfies Columns;

/** A speed pass of a configuration: a sample in a round. */
export const PROCESS_COLUMNS = {
  name: "TEXT",
  round: "INTEGER",
  place: "INTEGER",
  sample: "INTEGER",
  ttft_s: "REAL",
  tpot_s: "REAL",
  throughput_tokens_per_s: "REAL",
  peak_vram_gib: "REAL",
  other_cores: "REAL",
  load_average: "REAL",
  gpu_sm_mhz: "REAL",
  gpu_power_w: "REAL",
  gpu_temperature_c: "REAL",
  gpu_throttled_by: "TEXT",
  gpu_other_processes: "INTEGER",
} as const satisfies Columns;

/** The tables of figures, by name. `rows` and `processes` also have `run`, the id in `runs`. */
export const TABLES = { runs: RUN_COLUMNS, rows: ROW_COLUMNS, processes: PROCESS_COLUMNS } as const;
/** One of them. */
export type TableName = keyof typeof TABLES;

/** Values of a table's columns. */
export type RecordOf<T extends Columns> = Record<keyof T, string | number | null>;

/** The statements that make an empty history. */
export const CREATE = `
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${HISTORY_VERSION};
CREATE TABLE folders (path TEXT PRIMARY KEY) STRICT;
CREATE TABLE runs (id INTEGER PRIMARY KEY, ${listOf(RUN_COLUMNS)}, UNIQUE (file)) STRICT;
CREATE TABLE rows (run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, ${
  listOf(ROW_COLUMNS)
}, UNIQUE (run, name)) STRICT;
CREATE TABLE processes (run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, ${listOf(PROCESS_COLUMNS)}) STRICT;
CREATE INDEX rows_by_series ON rows (series);
CREATE INDEX runs_by_night ON runs (night);
CREATE INDEX runs_by_commit ON runs (git_commit);
CREATE INDEX processes_by_run ON processes (run, name);
`;

function listOf(columns: Columns): string {
  return Object.entries(columns).map(([name, type]) => `${name} ${type}`).join(", ");
}
