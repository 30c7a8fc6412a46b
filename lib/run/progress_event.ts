/** What a process is doing: loading the model, warming up, generating, or reading the text token by token. */
export type Phase = "load" | "warmup" | "speed" | "quality";

/** Progress of a run. */
export interface ProgressEvent {
  /** Distinguishes it from other events. */
  type: "progress";
  /** Name of the configuration. */
  configuration: string;
  /** Index of the configuration, from 0. */
  index: number;
  /** Configurations of the run. */
  count: number;
  /** Which pass the process makes. */
  pass: "speed" | "quality";
  /** Index of the round of speed passes, from 0; left out in quality passes. */
  round?: number;
  /** Rounds of speed passes. */
  rounds: number;
  /** Index of the text sample, from 0. */
  sample: number;
  /** Samples of each configuration. */
  samples: number;
  /** What the process is doing. */
  phase: Phase;
  /** Units done of `total`: tokens in speed and quality, runs in warmup, any unit in load. */
  done: number;
  /** The phase ends when `done` reaches this. */
  total: number;
  /** Share of the whole run that is done, 0..1, by a rough count of the work. */
  share: number;
  /** exp(mean NLL) of the quality pass so far. */
  perplexity?: number;
}
