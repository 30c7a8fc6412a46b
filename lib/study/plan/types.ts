/** A plan: the content of a plan file, with values as texts of `bench`'s flags and absolute paths. */
export interface Plan {
  /** Name of the sweep. */
  name: string;
  /** Cells of a job at most; undefined for all that share a baseline. */
  chunk?: number;
  /** Values that all cells share, unless the grid has others. */
  defaults: Record<string, string>;
  /** Grids: of each, every combination of one value of every axis. */
  grid: Grid[];
  /** Combinations that are left out: those that match all keys of one of these. */
  exclude: Record<string, string[]>[];
}

/** Axis → its values; each sets one flag, or several together. */
export type Grid = Record<string, AxisValue[]>;

/** A value of an axis: the flags that it sets. */
export type AxisValue = Readonly<Record<string, string>>;

/** A configuration under terms, as planned: before it is known what model, text, code and hardware are. */
export interface PlannedCell {
  /** Hash of the terms and the configuration, 16 hex digits. */
  readonly id: string;
  /** Name of the configuration, as `bench` names it when it runs it alone. */
  readonly name: string;
  /** Its name in the job's run: with the numbering of tokens, if the job has several. */
  readonly nameInJob: string;
  /** What distinguishes it from other configurations under the same terms. */
  readonly configuration: Readonly<Record<string, string>>;
}

/** Cells that share one baseline, or some of them: one run of `bench`. */
export interface PlannedJob {
  /** Index in the plan, from 0. */
  readonly index: number;
  /** Hash of what it runs, 16 hex digits. */
  readonly id: string;
  /** Flags that all of its cells share, by name: those that were given. */
  readonly terms: Readonly<Record<string, string>>;
  /** Flags of the run that measures all of its cells, by name; without `--only`, and without where results go. */
  readonly flags: Readonly<Record<string, string>>;
  /** Its cells, in the order of the table. */
  readonly cells: readonly PlannedCell[];
}

/** A job whose cells have keys: model, text, code and hardware are known. */
export interface Job extends PlannedJob {
  /** Name of its folder and claim. */
  readonly key: string;
  readonly cells: readonly Cell[];
  /** Hashes of model, text and code, and the hardware; in every key. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Key of what the baseline's quality depends on. */
  readonly baseline: string;
}

/** A planned cell with its key. */
export interface Cell extends PlannedCell {
  /** Name of its folder: 16 hex digits of everything but the hardware, a dash, and 8 of the hardware. */
  readonly key: string;
}
