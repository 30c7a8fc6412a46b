/** What a configuration is doing: loading the model, running it warm, generating, or reading the text token by token. */
export type Phase = "load" | "warmup" | "speed" | "quality";

/** How far a run is. */
export interface ProgressEvent {
  /** Tells it apart from other events. */
  type: "progress";
  /** Name of the configuration. */
  configuration: string;
  /** Index of the configuration, from 0. */
  index: number;
  /** Configurations of the run. */
  count: number;
  /** Index of the text sample, from 0. */
  sample: number;
  /** Samples of each configuration. */
  samples: number;
  /** What the configuration is doing. */
  phase: Phase;
  /** Of `total`: tokens in speed and quality, runs in warmup, any unit in load. */
  done: number;
  /** When `done` reaches this, the phase ends. */
  total: number;
  /** exp(mean NLL) of the quality pass so far. */
  perplexity?: number;
}
