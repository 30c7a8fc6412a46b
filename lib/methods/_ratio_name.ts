/**
 * Writes a ratio with one decimal, as the Python benchmark does; in full if two of the list would then read the same.
 */
export function ratioName(ratio: number, among: readonly number[]): string {
  const short = oneDecimal(ratio);
  return among.some((other) => other !== ratio && oneDecimal(other) === short) ? String(ratio) : short;
}

/** Rounds as Python's `{:.1f}`: a tie goes to the even digit. Up to 1, only 0.25 and 0.75 are ties. */
function oneDecimal(ratio: number): string {
  return ratio === 0.25 ? "0.2" : ratio.toFixed(1);
}
