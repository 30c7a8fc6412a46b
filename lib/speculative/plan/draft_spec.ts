import { BUDGET_MAKERS, type BudgetMethodName } from "../../methods/at_budget.ts";
import { type Budget, readBudget, shareOf } from "../../policies/budget.ts";
import { LEAST_BUDGET } from "../../roofline/budget_methods.ts";
import { InputError } from "../../util/errors.ts";
import { suggest } from "../../util/suggest.ts";

/** What drafts. */
export type DraftSpec =
  | { readonly kind: "ngram" }
  /** A model: a folder, the embedded one, or a repository of the hub. */
  | { readonly kind: "model"; readonly model: string }
  /** The target's weights, under a method at a budget. */
  | { readonly kind: "self"; readonly method: BudgetMethodName; readonly budget: Budget }
  /** Tokens that are right with a fixed probability; `inner` does its work. */
  | { readonly kind: "oracle"; readonly rate: number; readonly inner?: DraftSpec };

/** What `--draft` takes, for messages. */
export const DRAFT_EXAMPLES = "ngram, self:METHOD:BUDGET, oracle:RATE, or the folder of a model";

/**
 * Reads what drafts: `ngram`, `self:METHOD:BUDGET`, `oracle:RATE`, `oracle:RATE:DRAFT`, or a model.
 *
 * @example
 * ```ts
 * import { readDraft } from "./draft_spec.ts";
 *
 * console.log(readDraft("self:streaming_llm:25%").kind, readDraft("models/small").kind); // self model
 * ```
 *
 * @param text As on the command line.
 * @returns The draft.
 * @throws {InputError} Saying what is wrong and what would do.
 */
export function readDraft(text: string): DraftSpec {
  const [kind, ...rest] = text.split(":");
  if (kind === "ngram" && rest.length === 0) return { kind };
  if (kind === "self") return readSelf(text, rest);
  if (kind === "oracle") return readOracle(text, rest);
  if (text === "") throw fault(text, `give ${DRAFT_EXAMPLES}`);
  return { kind: "model", model: text };
}

function readSelf(text: string, [method = "", size = "", ...more]: readonly string[]): DraftSpec {
  const methods = Object.keys(BUDGET_MAKERS) as BudgetMethodName[];
  const found = methods.find((name) => name === method);
  if (found === undefined) {
    const near = suggest(method, methods);
    throw fault(text, `${near === undefined ? "" : `did you mean ${near}? `}give one of ${methods.join(", ")}`);
  }
  const budget = readBudget(size);
  if (budget === undefined || more.length > 0) {
    throw fault(
      text,
      `give a budget after the method, entries or a share, as in self:${found}:256 or self:${found}:25%`,
    );
  }
  if (typeof budget === "number" && budget < LEAST_BUDGET) {
    throw fault(
      text,
      `give a budget of at least ${LEAST_BUDGET} entries: methods keep some from the start and some from the end`,
    );
  }
  return { kind: "self", method: found, budget };
}

function readOracle(text: string, [share = "", ...inner]: readonly string[]): DraftSpec {
  const rate = /^(\d+\.?\d*|\.\d+)$/.test(share) ? Number(share) : NaN;
  if (!(rate <= 1)) throw fault(text, "give the share of tokens that are right, from 0 to 1, as in oracle:0.8");
  if (inner.length === 0) return { kind: "oracle", rate };
  const spec = readDraft(inner.join(":"));
  if (spec.kind === "oracle" || spec.kind === "ngram") {
    throw fault(text, "an oracle's own draft is a model, or self:METHOD:BUDGET: it is there for its cost");
  }
  return { kind: "oracle", rate, inner: spec };
}

function fault(text: string, remedy: string): InputError {
  return new InputError(`Cannot read --draft: found ${JSON.stringify(text)}, ${remedy}`);
}

/**
 * Returns the entries of a budget for a text: a share is that of its length, at least 16.
 *
 * @example
 * ```ts
 * import { entriesOf } from "./draft_spec.ts";
 *
 * console.log(entriesOf("25%", 1000), entriesOf(64, 1000)); // 250 64
 * ```
 *
 * @param budget Entries, or a share.
 * @param length Tokens of the prompt.
 */
export function entriesOf(budget: Budget, length: number): number {
  const share = shareOf(budget);
  return share === undefined ? budget as number : Math.max(LEAST_BUDGET, Math.round(share * length));
}

/**
 * Returns the model that a draft loads, if it is not the target's.
 *
 * @example
 * ```ts
 * import { draftModel, readDraft } from "./draft_spec.ts";
 *
 * console.log(draftModel(readDraft("oracle:0.5:models/small")), draftModel(readDraft("ngram"))); // models/small undefined
 * ```
 *
 * @param spec The draft.
 */
export function draftModel(spec: DraftSpec): string | undefined {
  if (spec.kind === "oracle") return spec.inner && draftModel(spec.inner);
  return spec.kind === "model" ? spec.model : undefined;
}

/**
 * Returns the same draft, with the folder of its model.
 *
 * @example
 * ```ts
 * import { readDraft, withFolder } from "./draft_spec.ts";
 *
 * console.log(withFolder(readDraft("org/small"), "/data/small")); // { kind: "model", model: "/data/small" }
 * ```
 *
 * @param spec The draft.
 * @param folder The model's folder.
 */
export function withFolder(spec: DraftSpec, folder: string): DraftSpec {
  if (spec.kind === "model") return { ...spec, model: folder };
  if (spec.kind !== "oracle" || !spec.inner) return spec;
  return { ...spec, inner: withFolder(spec.inner, folder) };
}
