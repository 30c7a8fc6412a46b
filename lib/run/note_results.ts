import { doubtsOf } from "../report/results/marks.ts";
import { notesOf } from "../report/results/notes.ts";
import type { BenchmarkResults } from "../report/results/types.ts";

/** Updates every configuration's notes and marks to what was measured of it. */
export function noteResults(
  { config, configurations, environment, raw_results, speed_runs = [] }: BenchmarkResults,
): void {
  for (const record of configurations) {
    const samples = raw_results.filter(({ method }) => method === record.name);
    const runs = samples.length === 0 ? [] : speed_runs.filter(({ method }) => method === record.name);
    const doubts = doubtsOf(runs, { device: config.device, cores: environment.cpu.cores });
    const notes = samples.length === 0 ? [] : notesOf(record, samples, config);
    setList(record, "notes", notes);
    setList(record, "doubts", doubts.map(({ note }) => note));
    setList(record, "marks", [...new Set(doubts.map(({ mark }) => mark))]);
  }
}

/** Sets a list that is left out if it is empty. */
function setList<K extends string, T>(record: { [name in K]?: T[] }, name: K, list: T[]): void {
  if (list.length > 0) record[name] = list;
  else delete record[name];
}
