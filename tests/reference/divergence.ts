/** The distance of two next-token distributions in plain float64: the reference for the graph that computes it. */

/** Logarithms of the probabilities; terms are added from the smallest on, so that the sum is exact to float64. */
function logarithms(logits: Float32Array): Float64Array {
  const best = logits.reduce((a, b) => Math.max(a, b));
  const sum = Float64Array.from(logits, (x) => Math.exp(x - best)).sort().reduce((a, b) => a + b);
  return Float64Array.from(logits, (x) => x - best - Math.log(sum));
}

/** See LogitsDistance. */
export function distanceOf(reference: Float32Array, own: Float32Array, target: number) {
  const [p, q] = [logarithms(reference), logarithms(own)];
  // With the shares' difference added to each term, which changes nothing of the sum, no term is negative.
  let kl = 0;
  p.forEach((p, i) => {
    if (p > -Infinity) kl += Math.exp(p) * (p - q[i]!) + Math.exp(q[i]!) - Math.exp(p);
  });
  // What `own` gives to tokens that the reference excludes is part of the difference.
  p.forEach((p, i) => kl += p === -Infinity ? Math.exp(q[i]!) : 0);
  const first = (x: Float32Array) => x.indexOf(x.reduce((a, b) => Math.max(a, b)));
  return {
    kl,
    tokenProbability: Math.exp(q[target]!) - Math.exp(p[target]!),
    sameTop: first(reference) === first(own),
  };
}
