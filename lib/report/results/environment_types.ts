import type { GpuDescription } from "../../nvml/gpu_info.ts";

/** The GPU at the time of the run. */
export type GpuInfo = GpuDescription;

/** Environment of the run, and hashes of what was measured. */
export interface Environment {
  /** NVIDIA name, or null on CPU. */
  gpu: GpuInfo | null;
  /** Name of the CPU, and the number of cores that this process may use. */
  cpu: { model: string; cores: number };
  /** Memory of the machine, bytes. */
  memory_bytes: number;
  /** Operating system, its release and the architecture. */
  os: string;
  /** Version of Deno. */
  deno: string;
  /** Version of ONNX Runtime. */
  onnxruntime: string;
  /** Path of its library. */
  onnxruntime_path: string;
  /** Its execution providers, such as "CUDAExecutionProvider". */
  providers: string[];
  /** Commit of the project's checkout, with "-dirty" unknown; null outside a checkout. */
  git_commit: string | null;
  /** Version of kvcompress. */
  kvcompress: string;
  /** For a model from the hub: the commit of the repository that its files belong to. */
  model_commit?: string;
  /** SHA-256 of config.json, tokenizer.json and, once everything is measured, of the weight files, by file name. */
  model_sha256: Record<string, string>;
  /**
   * A hash of each weight file's size and of pieces of the file, which distinguishes files before anything is measured;
   * of the whole file if it is small. Not in earlier results.
   */
  weights_fingerprint?: Record<string, string>;
  /** SHA-256 over the project's own code; null if the code is not in files. Not in earlier results. */
  code_sha256?: string | null;
  /** Name of the machine; not in results of schema 1, nor are the next two. */
  host?: string;
  /** Time zone of config.timestamp, such as "Europe/Zurich". */
  time_zone?: string;
  /** From the start of the run to its end, s; of a resumed run, the sum. */
  duration_s?: number;
  /** For a data set from the hub: the commit of the repository that its files belong to. */
  text_commit?: string;
  /** SHA-256 of the text's file; for a text from several files, of their hashes one after another. */
  text_sha256: string;
  /** SHA-256 of each sample's token ids, as little-endian 32-bit integers. */
  samples_sha256?: string[];
}
