import { suggest } from "../util/suggest.ts";
import { featuresOf, type Score } from "./score.ts";

/** The part of a policy that is checked. */
interface Scored {
  readonly score?: Score;
  /** An AttentionUse, unless a script that is not type-checked passed something else. */
  readonly attention?: unknown;
}

/** Shape of an expression: one number per entry or one for all, and per element of headDim or not. */
interface Shape {
  readonly perEntry: boolean;
  readonly perDim: boolean;
}

/**
 * Returns what is wrong with a policy's score: an expression that is not one number per entry, or attention without
 * saying which. The type system rejects some of these mistakes, not all.
 *
 * @example
 * ```ts
 * import { scoreFault } from "./check_score.ts";
 * import { keys } from "./score.ts";
 *
 * console.log(scoreFault({ score: keys })); // "its score is a vector for each entry; …"
 * ```
 *
 * @param policy Its score, and the attention that the score reads.
 * @returns The fault, worded to follow "Cannot run NAME: "; undefined if the score is valid.
 */
export function scoreFault({ score, attention }: Scored): string | undefined {
  if (score !== undefined) {
    const shape = shapeOf(score);
    if (typeof shape === "string") return shape;
    if (shape.perDim) return 'its score is a vector for each entry; reduce it to a number over "dim"';
    if (!shape.perEntry) return "its score is one number for all entries, so none is better than another";
  }
  if (attention === undefined) {
    return score !== undefined && featuresOf(score).has("attention")
      ? 'its score reads attention, and it has no `attention` that says which: { from: "all", accumulate: true }, or ' +
        '{ from: "last", window: 32 }'
      : undefined;
  }
  const { from, window, share, accumulate, ...others } = attention as Readonly<Record<string, unknown>>;
  if (from !== "all" && from !== "last") return `its attention is from ${show(from)}; give "all" or "last"`;
  if (from === "last" && !(Number.isSafeInteger(window) && (window as number) > 0)) {
    return `its attention is from the last ${show(window)} queries; give an integer of at least 1`;
  }
  if (from === "all" && window !== undefined) return `its attention is from "all", and has window ${show(window)}`;
  const [other] = Object.keys(others);
  if (other !== undefined) {
    const near = suggest(other, ["from", "window", "share", "accumulate"]);
    return `its attention has ${show(other)}, which is not read${near === undefined ? "" : `; did you mean ${near}?`}`;
  }
  if (from === "last" ? share !== undefined && share !== "layer" : share !== undefined) {
    return `its attention has share ${show(share)}; give "layer", with from: "last"`;
  }
  if (from === "all" ? accumulate !== true : accumulate !== undefined) {
    return `its attention has accumulate ${show(accumulate)}; give true, with from: "all"`;
  }
  return undefined;
}

/** Returns the shape of an expression, or what is wrong with it. */
function shapeOf(score: Score): Shape | string {
  // A script that is not type-checked can pass anything.
  const op: unknown = (score as { readonly op?: unknown } | null | undefined)?.op;
  switch (score?.op) {
    case "feature":
      if (!FEATURES.has(score.name)) {
        return `its score reads ${show(score.name)}; there are ${[...FEATURES].join(", ")}`;
      }
      return { perEntry: true, perDim: score.name === "keys" || score.name === "values" };
    case "constant":
      if (!Number.isFinite(score.value)) return `its score has the constant ${score.value}; give a finite number`;
      return { perEntry: false, perDim: false };
    case "neg":
    case "abs":
    case "sqrt":
    case "exp":
    case "log":
      return shapeOf(score.x);
    case "add":
    case "sub":
    case "mul":
    case "div": {
      const [a, b] = [shapeOf(score.a), shapeOf(score.b)];
      if (typeof a === "string") return a;
      if (typeof b === "string") return b;
      return { perEntry: a.perEntry || b.perEntry, perDim: a.perDim || b.perDim };
    }
    case "sum":
    case "mean":
    case "max":
    case "norm": {
      const { over, x } = score;
      const shape = shapeOf(x);
      if (typeof shape === "string") return shape;
      if (over === "dim") {
        if (!shape.perDim) {
          return `its score takes a ${op} over "dim" of what has no such dimension; keys and values have it`;
        }
        return { perEntry: shape.perEntry, perDim: false };
      }
      if (over !== "entries") return `its score takes a ${op} over ${show(over)}; give "dim" or "entries"`;
      if (!shape.perEntry) return `its score takes a ${op} over "entries" of what is one number for all of them`;
      return { perEntry: false, perDim: shape.perDim };
    }
    case "avg_pool":
    case "max_pool": {
      const { kernel, x } = score;
      // An even kernel has no middle: the pooled row would be one entry longer than the row.
      if (!Number.isSafeInteger(kernel) || kernel < 1 || kernel % 2 === 0) {
        return `its score pools over ${show(kernel)} neighbours; give an odd number of at least 1`;
      }
      const shape = shapeOf(x);
      if (typeof shape === "string") return shape;
      if (shape.perDim || !shape.perEntry) return "its score pools what is not one number for each entry";
      return shape;
    }
    default:
      return `its score has ${show(score)} where an expression is needed, such as keyNorm or constant(1)`;
  }
}

const FEATURES: ReadonlySet<unknown> = new Set(["keys", "values", "key_norm", "attention", "random"]);

function show(value: unknown): string {
  return typeof value === "function" ? "a function" : JSON.stringify(value) ?? String(value);
}
