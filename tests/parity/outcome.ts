/** What a check of `deno task parity` found, a line each, and how many of each kind there were. */

/**
 * "refused": not compared, because this project says that it cannot run it; "empty": it ran, and there was nothing to
 * compare.
 */
export type Verdict = "passed" | "failed" | "refused" | "empty";

/** What a check found. */
export interface Checked {
  readonly verdict: Verdict;
  /** Figures, or what went wrong, or why it was not compared. */
  readonly text: string;
  /** Of what was refused: whether that is known, so that it does not fail the run. */
  readonly known?: boolean;
}

/** A check by its name. */
export interface Outcome extends Checked {
  readonly name: string;
}

/** Runs a check; what it throws is its outcome, and does not stop later checks. */
export function attempt(name: string, check: () => Checked): Outcome {
  try {
    return { name, ...check() };
  } catch (error) {
    return { name, verdict: "failed", text: (error as Error).stack ?? String(error) };
  }
}

/**
 * What was not compared, because this project refuses it.
 *
 * @param known Reasons that are expected for this comparison.
 */
export function refused(name: string, reason: string, known: RegExp | undefined): Outcome {
  return { name, verdict: "refused", text: reason, known: known?.test(reason) ?? false };
}

/** Figures by name, such as "prefill 1.2e-6", and whether none is over a limit. */
export function within(limit: number, figures: Readonly<Record<string, number>>): Checked {
  const all = Object.entries(figures);
  if (all.length === 0) return { verdict: "empty", text: "no figure was compared" };
  return {
    verdict: all.every(([, figure]) => figure <= limit) ? "passed" : "failed", // not where it is NaN
    text: all.map(([name, figure]) => `${name} ${figure.toExponential(1)}`).join(", ") +
      ` of ${limit.toExponential(1)}`,
  };
}

const WORDS: Readonly<Record<Verdict, string>> = { passed: "ok", failed: "FAIL", refused: "not", empty: "EMPTY" };
/** A refusal that nobody expects. */
const UNEXPECTED = "NOT";

/** Counts outcomes. */
export class Tally {
  readonly counts: Record<Verdict | "unexpected", number> = {
    passed: 0,
    failed: 0,
    refused: 0,
    empty: 0,
    unexpected: 0,
  };

  /** Counts an outcome. Returns its line. */
  add({ name, verdict, text, known = false }: Outcome): string {
    const isUnexpected = verdict === "refused" && !known;
    this.counts[isUnexpected ? "unexpected" : verdict]++;
    return `${(isUnexpected ? UNEXPECTED : WORDS[verdict]).padEnd(5)} ${name.padEnd(64)} ${text}`;
  }

  /** Counts a line that another process's tally gave. Returns whether it is one. */
  addLine(line: string): boolean {
    const word = line.split(" ", 1)[0]!;
    const verdict = Object.entries(WORDS).find(([, known]) => known === word)?.[0] as Verdict | undefined;
    const kind = word === UNEXPECTED ? "unexpected" : verdict;
    if (kind) this.counts[kind]++;
    return kind !== undefined;
  }

  /** Such as "12 passed, 0 failed, 3 refused, 0 empty". */
  get summary(): string {
    const { passed, failed, refused, empty, unexpected } = this.counts;
    return `${passed} passed, ${failed} failed, ${refused} refused` +
      (unexpected > 0 ? ` and ${unexpected} more unexpectedly` : "") + `, ${empty} empty`;
  }

  /** 0 only if something was compared, all of it passed, and nothing was missing that should have been compared. */
  get exitCode(): 0 | 1 {
    const { passed, failed, empty, unexpected } = this.counts;
    return passed > 0 && failed + empty + unexpected === 0 ? 0 : 1;
  }
}
