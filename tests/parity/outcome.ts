/** What a check of `deno task parity` found, a line each. */
export interface Outcome {
  readonly name: string;
  readonly ok: boolean;
  /** Figures, or what went wrong. */
  readonly text: string;
}

/** Runs a check; what it throws is its outcome, and does not stop later checks. */
export function attempt(name: string, check: () => Omit<Outcome, "name">): Outcome {
  try {
    return { name, ...check() };
  } catch (error) {
    return { name, ok: false, text: (error as Error).stack ?? String(error) };
  }
}

/** Figures by name, such as "prefill 1.2e-6", and whether none is over a limit. */
export function within(limit: number, figures: Readonly<Record<string, number>>): Omit<Outcome, "name"> {
  const all = Object.entries(figures);
  return {
    ok: all.every(([, figure]) => figure <= limit), // not where it is NaN
    text: all.map(([name, figure]) => `${name} ${figure.toExponential(1)}`).join(", "),
  };
}
