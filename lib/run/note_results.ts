import { notesOf } from "../report/results/notes.ts";
import type { BenchmarkResults } from "../report/results/types.ts";

/** Updates every configuration's notes to what was measured of it. */
export function noteResults({ config, configurations, raw_results }: BenchmarkResults): void {
  for (const record of configurations) {
    const samples = raw_results.filter(({ method }) => method === record.name);
    const notes = samples.length === 0 ? [] : notesOf(record, samples, config);
    if (notes.length > 0) record.notes = notes;
    else delete record.notes;
  }
}
