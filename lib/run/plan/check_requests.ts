import { shortestWindow } from "../../model/spec.ts";
import type { MeasureRequest } from "../child/protocol.ts";
import { checkHighestPosition } from "./check_input.ts";
import { exportNote, unsupportedByExport } from "./export_limits.ts";
import type { RunInput } from "./input.ts";
import { unsupportedByKernels } from "./unsupported_kernels.ts";
import { highestPosition, positionsNote, windowNote } from "./highest_position.ts";
import { longestText, type Passes } from "./requests.ts";
import { isControl } from "./run_title.ts";
import { weightsOf } from "./weight_files.ts";

/** Result of checking configurations before any is measured. */
export interface Checked {
  /** Configurations that cannot run, by name, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
  /** Notes on the run for the user. */
  readonly notes: readonly string[];
}

/**
 * Checks whether the model supports what configurations ask of it.
 *
 * @param requests The configurations.
 * @param methods Their methods' names, in the same order.
 * @param passes The passes of each configuration.
 * @param input What they share.
 * @returns The configurations that cannot run, and notes.
 * @throws {InputError} If positions exceed the model's, or only control groups are left.
 */
export function checkRequests(
  requests: readonly MeasureRequest[],
  methods: readonly string[],
  { quality, speed }: Passes,
  input: RunInput,
): Checked {
  const { model, found: { device } } = input;
  const sequences = [quality, speed];
  const reached = longestText(input);
  const reaches = requests.map(({ name, positions, table }) => ({
    name,
    positions,
    last: highestPosition(positions, table, sequences),
  }));
  for (const { name, positions, last } of reaches) checkHighestPosition(name, positions, last, model);
  const controls = methods.map(isControl);
  const refused = new Map([
    ...unsupportedByExport(model, requests, sequences, controls),
    ...unsupportedByKernels(model, requests, reached, controls),
  ]);
  const notes = [
    model.export ? exportNote(model, weightsOf(model), device) : undefined,
    positionsNote(reaches, model.spec.maxPositions),
    // An export does its own masking.
    model.export ? undefined : windowNote(shortestWindow(model.spec), reached),
  ];
  return { refused, notes: notes.filter((note) => note !== undefined) };
}
