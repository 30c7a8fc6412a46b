import { list, number, object, optional, record, string } from "../../report/results/json_reader.ts";

/** What a cell is: in its cell.json, and in the record of its failure. */
export interface CellTitle {
  /** Its key: a hash of model, text, terms, code and hardware; name of its folder. */
  key: string;
  /** Name of the configuration, as `bench` names it when it runs it alone. */
  name: string;
  /** The flags of `bench` that the cell was measured with, those that all cells of its job share; by name. */
  terms: Record<string, string>;
  /** The configuration: method, parameters or budget, numbering of tokens. */
  configuration: Record<string, string>;
  /** What was measured and on what: hashes of model, text and code, and the hardware. */
  inputs: Record<string, string>;
}

/** Content of cell.json. */
export interface CellRecord extends CellTitle {
  /** Key of the job that measured it. */
  job: string;
  /** The machine. */
  host: string;
  /** When it was stored, ISO 8601. */
  stored: string;
  /** What a reader must know, one sentence each. */
  notes?: string[];
}

/** One try of a cell that failed. */
export interface FailedAttempt {
  /** One line for the user. */
  reason: string;
  /** The last lines of the process's standard error. */
  log: string;
  /** Its exit code. */
  code: number;
  /** The machine. */
  host: string;
  /** When it failed, ISO 8601. */
  at: string;
}

/** Content of failed/CELL.json. */
export interface FailureRecord extends CellTitle {
  /** Key of the job. */
  job: string;
  /** Every try, the last one last. */
  attempts: FailedAttempt[];
}

const title = {
  key: string,
  name: string,
  terms: record(string),
  configuration: record(string),
  inputs: record(string),
};

/** Reads cell.json. */
export const readCellRecord = object<CellRecord>({
  ...title,
  job: string,
  host: string,
  stored: string,
  notes: optional(list(string)),
});

/** Reads failed/CELL.json. */
export const readFailureRecord = object<FailureRecord>({
  ...title,
  job: string,
  attempts: list(object<FailedAttempt>({ reason: string, log: string, code: number, host: string, at: string })),
});
