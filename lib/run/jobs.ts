import type { MeasureRequest, Work } from "./child/protocol.ts";
import type { Ledger } from "./ledger.ts";
import type { SpeedTurn } from "./rounds.ts";

/** Work of a process besides its tokens, as so many tokens: starting it and loading the model. */
const START = 200;
/** Tokens of a prompt that take as long as one step. */
const PROMPT = 10;

/** One child process of a run. */
export interface Job extends Work {
  /** Index of the configuration. */
  readonly configuration: number;
  /** The round and place of a speed pass. */
  readonly turn?: SpeedTurn;
}

/** Returns how much work a job is, in steps of one token, roughly. */
export function weightOf({ pass, wanted }: Job, request: MeasureRequest): number {
  const { maxTokens, promptTokens, maxNewTokens } = request;
  const tokens = pass === "quality" ? maxTokens : promptTokens / PROMPT + maxNewTokens;
  return START + wanted.length * tokens;
}

/**
 * Returns the processes of a run that are still needed: the rounds of speed first, back to back, then quality in the
 * order of the table.
 */
export function jobsOf(ledger: Ledger): Job[] {
  const speed = ledger.turns.map((turn): Job => ({
    pass: "speed",
    wanted: ledger.missingSpeed(turn),
    configuration: turn.configuration,
    turn,
  }));
  const quality = ledger.results.configurations.map((_, configuration): Job => ({
    pass: "quality",
    wanted: ledger.missingQuality(configuration),
    configuration,
  }));
  return [...speed, ...quality].filter(({ wanted }) => wanted.length > 0);
}
