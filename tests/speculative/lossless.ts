/**
 * `deno task lossless [--tokens N] [--threads N] [--device cuda --dtype float16] MODEL...`: writes texts with every kind of draft, and holds them against plain
 * decoding: tokens, and the bits of all logits. Each kind writes N tokens for each model, 1000 by default; on the CPU with all its threads, unless --threads says how many.
 * Several models draft for each other where their vocabularies are the same.
 *
 * Exit codes: 0 all are equal; 1 one is not; 2 wrong input.
 *
 * @module
 */
import { parseArgs } from "node:util";
import type { FloatType } from "../../lib/util/dtype.ts";
import { Outlet } from "../../lib/process/outlet.ts";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import { verifierObstacle } from "../../lib/engine/verifier.ts";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { fusedObstacle } from "../../lib/model/graph/attention/fused.ts";
import { budgetMethodNames } from "../../lib/roofline/budget_methods.ts";
import { runScript } from "../../lib/cli/run_script.ts";
import { roomOf, Speculator } from "../../lib/speculative/child/speculator.ts";
import { readDraft } from "../../lib/speculative/plan/draft_spec.ts";
import { checkSameVocabulary } from "../../lib/speculative/plan/same_vocabulary.ts";
import { openDataset } from "../../lib/text/dataset.ts";
import { sampleTokens } from "../../lib/text/samples.ts";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";
import { InputError } from "../../lib/util/errors.ts";

/** Tokens of a prompt, and those written after it. */
const [PROMPT, WRITTEN] = [200, 500];
/** Budget of self-drafts: each evicts from the prompt on. */
const BUDGET = 96;
const GAMMAS = [1, 2, 4, 8, "auto"] as const;

const out = new Outlet(Deno.stdout);
const err = new Outlet(Deno.stderr);

/** Hash of the bits of logits, token by token: FNV-1a over 32-bit words. */
function bitsOf(logits: Float32Array): number {
  const words = new Uint32Array(logits.buffer, logits.byteOffset, logits.length);
  let hash = 0x811c9dc5;
  for (const word of words) hash = Math.imul(hash ^ word, 0x01000193);
  return hash >>> 0;
}

/** Where and how models run. */
interface Setting {
  readonly tokens: number;
  readonly threads: number | undefined;
  readonly device: "cpu" | "cuda";
  readonly dtype: FloatType;
}

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals: paths } = parseArgs({
    args: [...argv],
    options: {
      tokens: { type: "string" },
      threads: { type: "string" },
      device: { type: "string" },
      dtype: { type: "string" },
    },
    allowPositionals: true,
  });
  const { device = "cpu", dtype = "float32" } = values;
  const tokens = Number(values.tokens ?? 1000),
    threads = values.threads === undefined ? undefined : Number(values.threads);
  const known = (device === "cpu" || device === "cuda") &&
    (dtype === "float32" || dtype === "float16" || dtype === "bfloat16");
  if (
    !known || ![tokens, threads ?? 1].every((count) => Number.isSafeInteger(count) && count > 0) || paths.length === 0
  ) {
    throw new InputError(
      "Cannot compare: give [--tokens N] [--threads N] [--device D] [--dtype T] and the folder of a model",
    );
  }
  let different = 0;
  for (const path of paths) different += await compare(path, paths, { tokens, threads, device, dtype });
  return different > 0 ? 1 : 0;
}

/** Compares every draft of a model with plain decoding; returns how many differ. */
async function compare(
  path: string,
  paths: readonly string[],
  { tokens: wanted, threads, device, dtype }: Setting,
): Promise<number> {
  const runtime = openRuntime(device);
  const model = openModelFolder(path);
  const texts = Math.ceil(wanted / WRITTEN);
  const { texts: sources } = await openDataset({ dataset: "moby_dick" });
  const { samples } = await sampleTokens({
    texts: sources,
    tokenizer: await loadTokenizer(path),
    samples: texts,
    tokensPerSample: PROMPT,
  });
  const drafts = ["ngram", ...budgetMethodNames.map((method) => `self:${method}:${BUDGET}`), "oracle:0.7"];
  drafts.push(path, `oracle:0.7:self:h2o:${BUDGET}`);
  for (const other of paths) {
    if (other !== path && await canDraft(other)) drafts.push(other);
  }
  const room = Math.max(...GAMMAS.map(roomOf));
  const maxPositions = PROMPT + WRITTEN + 2 * room;
  const use = { device, dtype, maxPositions };
  const obstacle = verifierObstacle(model, use);
  const attention = fusedObstacle(model.spec, use) === undefined ? "fused" : "explicit";
  const plain = new Map<number, { tokens: readonly number[]; bits: readonly number[] }>();
  let different = 0;
  for (const [i, name] of drafts.entries()) {
    const gamma = GAMMAS[i % GAMMAS.length]!;
    using speculator = new Speculator(runtime, model, {
      dtype,
      attention,
      maxPositions,
      threads,
      gamma,
      room,
      verification: obstacle === undefined ? "rows" : "steps",
      logits: true,
    });
    let compared = 0, rounds = 0, accepted = 0, drafted = 0;
    let first: string | undefined;
    for (const [at, prompt] of samples.entries()) {
      const writing = { prompt, warmup: 0, newTokens: Math.min(WRITTEN, wanted - at * WRITTEN), seed: at };
      if (!plain.has(at)) {
        const bits: number[] = [];
        const { tokens } = speculator.plain({ ...writing, onLogits: (logits) => bits.push(bitsOf(logits)) });
        plain.set(at, { tokens, bits });
      }
      const { tokens: truth, bits: wantedBits } = plain.get(at)!;
      const bits: number[] = [];
      const written = speculator.write(
        readDraft(name),
        { ...writing, onLogits: (logits) => bits.push(bitsOf(logits)) },
        [...prompt, ...truth],
      );
      for (let token = 0; token < writing.newTokens; token++) {
        if (written.tokens[token + 1] !== truth[token + 1] || bits[token] !== wantedBits[token]) {
          first ??= `text ${at}, token ${token}`;
        } else compared++;
      }
      rounds += written.rounds.length;
      for (const round of written.rounds) [accepted, drafted] = [accepted + round.accepted, drafted + round.drafted];
    }
    if (first !== undefined) different++;
    const verdict = first === undefined ? `${compared} tokens equal, bit for bit` : `DIFFERENT from ${first} on`;
    out.line(
      `${path} ${dtype}  ${name} gamma ${gamma}: ${verdict}; ${
        (1 + accepted / rounds).toFixed(2)
      } tokens a verification, ` +
        `${(100 * accepted / Math.max(1, drafted)).toFixed(1)} % accepted`,
    );
    await out.flushed();
  }
  return different;

  async function canDraft(other: string): Promise<boolean> {
    try {
      await checkSameVocabulary(model, openModelFolder(other));
      return true;
    } catch (error) {
      if (error instanceof InputError) return false;
      throw error;
    }
  }
}

if (import.meta.main) await runScript(() => main(Deno.args), out, err);
