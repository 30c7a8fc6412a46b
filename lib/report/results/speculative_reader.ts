import { figure, type JsonReader, list, nullable, number, object, oneOf, string } from "./json_reader.ts";
import type { Interval } from "./spread_types.ts";
import type { SpeculativeResults, SpeculativeRow } from "./speculative_types.ts";
import { SPECULATIVE_SCHEMA } from "./speculative_types.ts";

/** What the picture of a speculative run shows of its results. */
export interface SpeedupResults {
  readonly schema: SpeculativeResults["schema"];
  readonly config: Pick<
    SpeculativeResults["config"],
    "model_id" | "device" | "dtype" | "workload" | "max_new_tokens" | "temperature"
  >;
  readonly rows: readonly Pick<SpeculativeRow, "name" | "draft" | "length" | "speedup">[];
}

const interval: JsonReader<Interval> = object<Interval>({
  estimate: figure,
  low: figure,
  high: figure,
  confidence: figure,
});

/** Reads it. */
export const speedupResults: JsonReader<SpeedupResults> = object<SpeedupResults>({
  schema: oneOf(SPECULATIVE_SCHEMA),
  config: object<SpeedupResults["config"]>({
    model_id: string,
    device: oneOf("cuda", "cpu"),
    dtype: string,
    workload: string,
    max_new_tokens: number,
    temperature: number,
  }),
  rows: list(object<SpeedupResults["rows"][number]>({
    name: string,
    draft: nullable(string),
    length: number,
    speedup: nullable(interval),
  })),
});
