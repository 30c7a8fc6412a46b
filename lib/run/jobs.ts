import type { MeasureRequest, Work } from "./child/protocol.ts";
import type { Ledger } from "./ledger.ts";
import type { SpeedTurn } from "./rounds.ts";

/** Cost of starting a process and loading the model, in tokens. */
const START = 200;
/** Tokens of a prompt that take as long as one step. */
const PROMPT = 10;

/** One child process of a run. */
export interface Job extends Work {
  readonly request: MeasureRequest;
  /** Index of the configuration; undefined for a full cache that is no row of the table. */
  readonly configuration: number | undefined;
  /** The round and place of a speed pass. */
  readonly turn?: SpeedTurn;
}

/** Estimates the work of a job, in steps of one token. */
export function weightOf({ pass, wanted, request: { maxTokens, promptTokens, maxNewTokens } }: Job): number {
  const tokens = pass === "quality" ? maxTokens : promptTokens / PROMPT + maxNewTokens;
  return START + wanted.length * tokens;
}

/** The full cache whose logits the others are compared with. */
export type ReferenceSource = Pick<Job, "request" | "configuration">;

/**
 * Returns the processes of a run that are still needed: the rounds of speed first, back to back, then quality in the
 * order of the table.
 *
 * @param requests One for each configuration.
 * @param ledger What is measured already.
 * @param source The full cache: its quality comes first, of all samples that any configuration lacks.
 */
export function jobsOf(requests: readonly MeasureRequest[], ledger: Ledger, source?: ReferenceSource): Job[] {
  const speed = ledger.turns.map((turn): Job => ({
    pass: "speed",
    wanted: ledger.missingSpeed(turn),
    configuration: turn.configuration,
    request: requests[turn.configuration]!,
    turn,
  }));
  const quality = requests.map((request, configuration): Job => ({
    pass: "quality",
    wanted: ledger.missingQuality(configuration),
    configuration,
    request,
  }));
  const lacked = [...new Set(quality.flatMap(({ wanted }) => wanted))].sort((a, b) => a - b);
  const first: Job[] = source === undefined ? [] : [{ ...source, pass: "quality", wanted: lacked }];
  const others = quality.filter(({ configuration }) => !source || configuration !== source.configuration);
  return [...speed, ...first, ...others].filter(({ wanted }) => wanted.length > 0);
}
