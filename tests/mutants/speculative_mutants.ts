/** Faults in speculative decoding: the rule, the loop, drafts, and passes that verify. */
import { type Mutant, of, type Tests } from "./mutant.ts";

const RULE: Tests = ["tests/speculative/rule.test.ts"];
const SAMPLING: Tests = ["tests/speculative/sampling.test.ts"];
const DECODE: Tests = ["tests/speculative/decode.test.ts", "models, look-up"];
const DRAFTS: Tests = ["tests/speculative/drafts.test.ts"];
const VERIFIER: Tests = ["tests/engine/verifier.test.ts"];
const RESULTS: Tests = ["tests/speculative/summary.test.ts"];
const GAMMA: Tests = ["tests/speculative/gamma.test.ts"];

/** All of them. */
export const SPECULATIVE_MUTANTS: readonly Mutant[] = [
  ...of("lib/speculative/decode/rule.ts", RULE, SAMPLING)(
    [
      "a rejected token is kept",
      "return { accepted, next: predicted[accepted]! };",
      "return { accepted: accepted + 1, next: predicted[accepted]! };",
    ],
    [
      "the token after a rejection is drawn from the target",
      "left.some((weight) => weight > 0) ? normalized(left) : p",
      "p",
    ],
    [
      "a token is kept as often as the target has it",
      "const chance = p[token]! / (q?.[token] ?? 1);",
      "const chance = p[token]!;",
      RULE,
    ],
    ["tokens that were not drawn leave their own share", "i === token ? 1 : 0", "0"],
    [
      "the last row is the one before",
      "draw(target(drafted.length), random())",
      "draw(target(drafted.length - 1), random())",
    ],
  ),
  ...of("lib/speculative/decode/distribution.ts", RULE)(
    ["the nucleus is one token short", "if (held >= enough) break;", "if (held + weights[i]! >= enough) break;"],
    ["the temperature multiplies", "Math.exp((logit - most) / temperature)", "Math.exp((logit - most) * temperature)"],
  ),
  ...of("lib/speculative/decode/decode.ts", DECODE, SAMPLING)(
    ["one entry too many stays", "target.keep(1 + accepted);", "target.keep(2 + accepted);"],
    ["one entry too few stays", "target.keep(1 + accepted);", "target.keep(accepted);"],
    ["nothing is taken back", "target.keep(1 + accepted);", "target.keep(1 + tokens.length);"],
    ["one token too many is written", "tokens.slice(0, accepted), next", "tokens.slice(0, accepted + 1), next"],
    ["the draft is told of one token more", "draft.settle(accepted);", "draft.settle(accepted + 1);", [
      "tests/speculative/decode.test.ts",
      "a draft is told",
    ]],
  ),
  ...of("lib/speculative/decode/target.ts", DECODE)(
    ["padding stays", "this.#read = size;", "this.#read = tokens.length;", [
      "tests/speculative/decode.test.ts",
      "what pads",
    ]],
    ["a longer pass than needed is too short", "pass.tokens >= tokens.length", "pass.tokens >= tokens.length - 1"],
  ),
  ...of("lib/speculative/drafts/engine_draft.ts", DRAFTS, DECODE)(
    ["tried tokens stay", "this.#sequence.rewind(this.#tried - kept);", "void kept;"],
    ["the draft forgets what it has read", "this.#read += kept;", "void this.#read;"],
    ["the last proposed token counts as read", "(tokens.length === count ? 1 : 0)", "0"],
    ["nothing is evicted after acceptance", "this.#tried = 0;\n    this.#sequence.settle();", "this.#tried = 0;"],
  ),
  ...of("lib/speculative/drafts/view_draft.ts", DRAFTS)(
    ["a view's entries stay", "sequence.rewind(read);", "void read;"],
  ),
  ...of("lib/speculative/drafts/self_draft.ts", DRAFTS)(
    ["a view has one entry less", "recent: kept.recent + 1 }", "recent: kept.recent }"],
  ),
  ...of("lib/model/graph/attention/view.ts", DRAFTS)(
    ["a view begins one late", `g.op("Sub", [past, g.ints(recent - 1)])`, `g.op("Sub", [past, g.ints(recent - 2)])`],
    [
      "a view sees slots without entries",
      `g.op("LessOrEqual", [wanted, past])`,
      `g.op("LessOrEqual", [wanted, g.op("Add", [past, g.ints(3)])])`,
    ],
  ),
  ...of("lib/speculative/drafts/ngram_draft.ts", DRAFTS)(
    [
      "look-up takes the shortest end",
      "length >= 1; length--) {\n      const at",
      "length >= 1; length -= 3) {\n      const at",
    ],
    ["look-up knows the end itself", "end < text.length; end++", "end <= text.length; end++"],
  ),
  ...of("lib/model/graph/attention/fused.ts", VERIFIER)(
    ["a row sees the one after it", "const later = rows - 1 - row;", "const later = Math.max(0, rows - 2 - row);"],
  ),
  ...of("lib/model/graph/attention/explicit.ts", VERIFIER)(
    [
      "the explicit form verifies as any pass",
      "if (this.options.rows !== undefined) return this.#byRow",
      "if (this.options.rows === -1) return this.#byRow",
    ],
  ),
  ...of("lib/cache/kv_cache.ts", DRAFTS)(
    ["a pass that goes ahead evicts", "if (ahead) this.#pass =", "if (ahead && tokens > 1) this.#pass ="],
  ),
  ...of("lib/speculative/decode/gamma.ts", GAMMA)(
    ["rejected positions are not counted", "Math.min(asked, accepted + 1)", "Math.min(asked, accepted)"],
    [
      "auto never looks at the others",
      "if (++this.#rounds % CURIOUS !== 0) return this.best();",
      "if (++this.#rounds > 0) return this.best();",
    ],
  ),
  ...of("lib/speculative/summary/draft_figures.ts", RESULTS)(
    [
      "acceptance by position counts rounds that did not come to it",
      "count > position && accepted[i]! >= position ?",
      "count > position ?",
    ],
    ["a text that differs is equal", "token === other[i]", "token === other[i] || i > 0"],
  ),
  ...of("lib/speculative/summary/break_even.ts", RESULTS)(
    [
      "the first crossing counts",
      "for (const before of points.toReversed().slice(1)) {",
      "for (const before of points.slice(0, 1)) {",
    ],
    [
      "the worst gamma counts",
      "row.speedup!.estimate > best.speedup!.estimate ? row : best",
      "row.speedup!.estimate < best.speedup!.estimate ? row : best",
    ],
  ),
];
