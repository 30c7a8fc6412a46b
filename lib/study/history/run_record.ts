import { createHash } from "node:crypto";
import { modelFileName } from "../../report/results/results_folder.ts";
import type { SpeedRun } from "../../report/results/spread_types.ts";
import type { BenchmarkResults, ConfigurationRecord } from "../../report/results/types.ts";
import { type FieldValue, rowFields } from "../../report/tables/formats/row_fields.ts";
import { cellTerms, hardwareOf, seriesKey } from "../cell_terms.ts";
import { momentOf } from "./nights.ts";
import { PROCESS_COLUMNS, type RecordOf, ROW_COLUMNS, RUN_COLUMNS } from "./schema.ts";

/** What tells whether a file has changed. */
export interface FileState {
  /** Absolute path. */
  readonly file: string;
  /** Size, bytes. */
  readonly bytes: number;
  /** Time of its last change, ms since 1970. */
  readonly mtime_ms: number;
  /** Of its content, hex digits. */
  readonly sha256: string;
}

/** A run as the history has it. */
export interface RunRecords {
  run: RecordOf<typeof RUN_COLUMNS>;
  rows: RecordOf<typeof ROW_COLUMNS>[];
  processes: RecordOf<typeof PROCESS_COLUMNS>[];
}

/**
 * Converts a results.json to the records of the history's tables. Pure.
 *
 * @example
 * ```ts
 * import { runRecords } from "./run_record.ts";
 * import type { BenchmarkResults } from "../../report/results/types.ts";
 *
 * const file = { file: "/results/a/results.json", bytes: 3, mtime_ms: 0, sha256: "" };
 * const names = (results: BenchmarkResults) => runRecords(file, results).rows.map(({ name }) => name);
 * ```
 *
 * @param file The file.
 * @param results Its content, of schema 1 or 2.
 * @returns Figures that are not numbers are null.
 */
export function runRecords(file: FileState, results: BenchmarkResults): RunRecords {
  const { config, environment, configurations, speed_runs = [] } = results;
  const { gpu, cpu } = environment;
  const moment = momentOf(config.timestamp, environment.time_zone);
  const { model_sha256, weights_fingerprint = {} } = environment;
  return {
    run: {
      ...file,
      schema: results.schema ?? 1,
      started: moment?.started ?? null,
      started_utc: moment?.started_utc ?? null,
      night: moment?.night ?? null,
      duration_s: environment.duration_s ?? null,
      host: environment.host ?? null,
      hardware: hardwareOf(results),
      device: config.device,
      gpu: gpu?.name ?? null,
      driver: gpu?.driver ?? null,
      cpu: cpu.model,
      cores: cpu.cores,
      os: environment.os,
      git_commit: environment.git_commit,
      code_sha256: environment.code_sha256 ?? null,
      kvcompress: environment.kvcompress,
      onnxruntime: environment.onnxruntime,
      model: modelFileName(config.model_id),
      model_id: config.model_id,
      model_sha256: digestOf(Object.entries({ ...weights_fingerprint, ...model_sha256 }).map((each) => each.join(" "))),
      text: modelFileName(config.dataset),
      dataset: config.dataset,
      text_sha256: environment.text_sha256,
      samples_sha256: environment.samples_sha256 === undefined ? null : digestOf(environment.samples_sha256),
      num_samples: config.num_samples,
      prompt_tokens: config.prompt_tokens,
      max_new_tokens: config.max_new_tokens,
      max_tokens: config.max_tokens,
      repetitions: config.repetitions ?? null,
      passes: config.passes ?? null,
      seed: config.seed,
      command: config.command === undefined ? null : JSON.stringify(config.command),
    },
    rows: configurations.map((record) => rowRecord(results, record)),
    processes: speed_runs.map(processRecord),
  };
}

/** The fields of the CSV file, and what identifies the row. Fields of the run are in `runs`. */
function rowRecord(results: BenchmarkResults, record: ConfigurationRecord): RecordOf<typeof ROW_COLUMNS> {
  const fields: Record<string, FieldValue> = {
    ...rowFields(results, record),
    series: seriesKey(cellTerms(results, record)),
    attention: record.attention,
    kernels: record.kernels ?? null,
    policy_sha256: record.policy_sha256 ?? null,
  };
  const names = Object.keys(ROW_COLUMNS) as (keyof typeof ROW_COLUMNS)[];
  return Object.fromEntries(names.map((name) => [name, valueOf(fields[name] ?? null)])) as RecordOf<typeof ROW_COLUMNS>;
}

function processRecord(pass: SpeedRun): RecordOf<typeof PROCESS_COLUMNS> {
  const { other_cores = null, load_average = null, gpu } = pass.conditions ?? {};
  return {
    name: pass.method,
    round: pass.round,
    place: pass.place,
    sample: pass.sample,
    ttft_s: valueOf(pass.ttft),
    tpot_s: valueOf(pass.tpot),
    throughput_tokens_per_s: valueOf(pass.throughput),
    peak_vram_gib: pass.peak_vram_gb,
    other_cores,
    load_average,
    gpu_sm_mhz: gpu?.sm_mhz?.mean ?? null,
    gpu_power_w: gpu?.power_w?.mean ?? null,
    gpu_temperature_c: gpu?.temperature_c ?? null,
    gpu_throttled_by: gpu === undefined ? null : JSON.stringify(gpu.throttled_by),
    gpu_other_processes: gpu?.other_processes ?? null,
  };
}

/** SQLite has no lists and objects: they are JSON. It takes NaN for null. */
function valueOf(value: FieldValue): string | number | null {
  if (typeof value === "number") return Number.isNaN(value) ? null : value;
  return value === null || typeof value === "string" ? value : JSON.stringify(value);
}

/** SHA-256 over some lines, sorted if they are named. */
function digestOf(lines: readonly string[]): string {
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}
