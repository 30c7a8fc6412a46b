/**
 * kvcompress: measures what KV-cache compression of a language model costs and gains.
 *
 * @example Compare your own policy with the full cache
 * ```ts ignore
 * import { definePolicy, formatTable, methods, runBenchmark } from "@kvcompress/kvcompress";
 *
 * const firstAndLast = definePolicy({
 *   name: "first_and_last",
 *   params: { size: 128 },
 *   keep: ({ size }) => ({ entries }) => entries > size ? { sink: size / 2, heavy: 0, recent: size / 2 } : "all",
 * });
 * const { results } = await runBenchmark({
 *   configurations: [
 *     { name: "baseline", policy: methods.baseline() },
 *     { name: "first_and_last_128", policy: firstAndLast() },
 *   ],
 *   max_tokens: 500,
 * });
 * console.log(formatTable(results));
 * ```
 *
 * @module
 */
export type { Kind } from "./lib/util/check_options.ts";
export { InputError } from "./lib/util/errors.ts";
export type { DType, FloatType } from "./lib/util/dtype.ts";
export { HubError, type HubErrorKind } from "./lib/hub/errors.ts";
export { hubFile, hubList, hubModel } from "./lib/hub/hub.ts";
export type {
  AskedFile,
  AskedModel,
  AskedRepo,
  DownloadEvent,
  HubListing,
  HubModel,
  HubOptions,
} from "./lib/hub/hub.ts";
export type { ChildOptions } from "./lib/hub/child.ts";
export type { HubRepo } from "./lib/hub/repo.ts";
export { openModelFolder } from "./lib/model/folder/model_folder.ts";
export type { GgufSource, ModelFolder } from "./lib/model/folder/model_folder.ts";
export type { ExportGraph, OnnxExport } from "./lib/model/export/onnx_export.ts";
export type { ExportSignature } from "./lib/model/export/signature.ts";
export type { Affine, Block, ModelSpec, Norm, Projections } from "./lib/model/spec.ts";
export type { Growth, Rope } from "./lib/model/graph/rope/rope.ts";
export type { Activation } from "./lib/model/graph/activation.ts";
export type { AttentionForm } from "./lib/model/graph/attention/attention_form.ts";
export type { StoredTensor } from "./lib/model/folder/safetensors.ts";
export { definePolicy } from "./lib/policies/policy.ts";
export type {
  AttentionUse,
  LayerState,
  Policy,
  PolicyDefinition,
  PolicyFactory,
  PolicyScore,
  PolicySizes,
  Sizes,
} from "./lib/policies/policy.ts";
export type {
  AdaptiveL2Params,
  FixSizeL2Params,
  H2oL2Params,
  H2oParams,
  KeydiffParams,
  L2CompressParams,
  PyramidKvParams,
  PyramidSnapKvParams,
  RecentOnlyParams,
  SnapKvLiteParams,
  SnapKvParams,
  StreamingLlmParams,
  TovaParams,
} from "./lib/policies/params.ts";
export { type MethodName, type Methods, methods } from "./lib/policies/registry.ts";
export * from "./lib/policies/score.ts";
export { atBudget, type BudgetMethodName } from "./lib/methods/at_budget.ts";
export type { Budget, BudgetShape, PolicyMaker } from "./lib/policies/budget.ts";
export { runBenchmark } from "./lib/run/benchmark.ts";
export type { BenchmarkOptions, BenchmarkRun } from "./lib/run/benchmark.ts";
export type { Configuration } from "./lib/run/plan/configuration.ts";
export type { Positions } from "./lib/engine/numbering.ts";
export type { KernelChoice } from "./lib/engine/kernel_choice.ts";
export { kernelsNote } from "./lib/report/tables/kernels_note.ts";
export { changesAgainstBaseline } from "./lib/report/tables/changes.ts";
export { formatChanges } from "./lib/report/tables/changes_table.ts";
export type {
  Change,
  ChangeSpread,
  ComparedName,
  ComparedResults,
  MethodChanges,
  PointChange,
} from "./lib/report/tables/changes.ts";
export { drawInChild } from "./lib/report/charts/draw_child.ts";
export type { DrawOutcome } from "./lib/report/charts/draw_child.ts";
export type { Picture } from "./lib/report/charts/pictures.ts";
export type { Phase, ProgressEvent } from "./lib/run/progress_event.ts";
export { readResults } from "./lib/report/results/results_file.ts";
export { formatTable, formatTableWithin, type TableResults } from "./lib/report/tables/table.ts";
export { type DetailResults, formatDetails } from "./lib/report/tables/detail_table.ts";
export type { FiguredResults } from "./lib/report/tables/row_figures.ts";
export { intervalNotes, type IntervalResults } from "./lib/report/tables/interval_notes.ts";
export { formatFinished } from "./lib/report/tables/finished_line.ts";
export { reportText, type ReportTextOptions } from "./lib/report/tables/report_text.ts";
export { type Format, formatResults, FORMATS } from "./lib/report/tables/formats/format_results.ts";
export { formatLegend, formatNotes, type NotedResults } from "./lib/report/tables/table_notes.ts";
export { readTrace, traceFileName } from "./lib/report/results/trace.ts";
export type { Run, Trace, TraceSnapshot } from "./lib/report/results/trace_types.ts";
export type {
  AggregatedStats,
  AveragedFigures,
  BenchmarkResults,
  ConfigurationRecord,
  DroppedEntries,
  Environment,
  Failure,
  GpuInfo,
  PassChoice,
  QualitySample,
  RawResult,
  RunConfig,
  VramMethod,
} from "./lib/report/results/types.ts";
export type {
  Comparison,
  Conditions,
  Divergence,
  DivergenceFigures,
  GpuConditions,
  HeldInPass,
  Interval,
  Mark,
  QualityComparison,
  SpeedRun,
  TimeComparison,
  TimeMethod,
  TokenComparison,
} from "./lib/report/results/spread_types.ts";
export type { MemoryFigures, MemoryLevels, MemoryPhase, PhaseMemory } from "./lib/report/results/memory_types.ts";
export type { GpuDescription } from "./lib/nvml/gpu_info.ts";
