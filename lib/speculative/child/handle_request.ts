import { openRuntime } from "../../engine/open_runtime.ts";
import { openModelFolder } from "../../model/folder/model_folder.ts";
import { mean } from "../../report/results/stats.ts";
import type { Round } from "../decode/gamma.ts";
import type { DraftSpec } from "../plan/draft_spec.ts";
import type { SpeculativeEvent, SpeculativeRequest, WrittenText } from "./protocol.ts";
import { Speculator } from "./speculator.ts";
import type { Writing } from "./writing.ts";

/** Writes the texts of a request, and reports each. */
export function answer(request: SpeculativeRequest, emit: (event: SpeculativeEvent) => void): void {
  const { draft, texts, warmup, newTokens, seed } = request;
  const runtime = openRuntime(request.device);
  const model = openModelFolder(request.model);
  using speculator = new Speculator(runtime, model, { ...request, gamma: draft?.gamma ?? 0 });
  emit({ type: "kernels", ...speculator.engine.kernels });
  for (const { sample, prompt } of texts) {
    const writing: Writing = { prompt, warmup, newTokens, seed: seed + sample };
    const text = draft ? drafted(speculator, draft.spec, writing) : plain(speculator, writing);
    emit({ type: "sample", text: { sample, length: prompt.length, ...text } });
  }
}

type Figures = Omit<WrittenText, "sample" | "length">;

function plain(speculator: Speculator, writing: Writing): Figures {
  const { tokens, ttft_s, step_s, cache_bytes } = speculator.plain(writing);
  return { tokens, ttft_s, tpot_s: mean(step_s), step_s, memory: { cache: cache_bytes } };
}

function drafted(speculator: Speculator, spec: DraftSpec, writing: Writing): Figures {
  const truth = spec.kind === "oracle" ? truthFor(speculator, writing) : [];
  const { tokens, rounds, ttft_s, cache_bytes, draft, draft_steps, passes } = speculator.write(spec, writing, truth);
  const seconds = rounds.reduce((sum, { total_s }) => sum + total_s, 0);
  const written = rounds.reduce((sum, { accepted }) => sum + accepted + 1, 0);
  const of = (name: keyof Round) => rounds.map((round) => round[name]);
  return {
    tokens,
    ttft_s,
    tpot_s: seconds / written,
    rounds: {
      asked: of("asked"),
      drafted: of("drafted"),
      accepted: of("accepted"),
      draft_s: of("draft_s"),
      verify_s: of("verify_s"),
      total_s: of("total_s"),
    },
    draft_steps,
    passes,
    memory: { cache: cache_bytes, draft },
  };
}

/** The text that plain decoding writes, and as many tokens more as an oracle may be asked for. */
function truthFor(speculator: Speculator, { prompt, warmup, newTokens, seed }: Writing): number[] {
  const { room } = speculator.options;
  const { tokens } = speculator.plain({ prompt, warmup: 0, newTokens: warmup + newTokens + room, seed });
  return [...prompt, ...tokens];
}
