/**
 * ONNX exports on one device: perplexity of a text against the same model's safetensors there and on the CPU, and which
 * of an export's nodes run elsewhere than on the device.
 */
import { join } from "@std/path";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import type { Runtime } from "../../lib/ort/runtime.ts";
import { methods } from "../../lib/policies/registry.ts";
import { Engine } from "../../lib/engine/engine.ts";
import { measureQuality } from "../../lib/run/measure/quality.ts";
import { measureSpeed } from "../../lib/run/measure/speed.ts";
import { ids, lengths, optionsFor, STEPS, type Wanted } from "../model/_export_runs.ts";
import { type Exported, ExportFolder, original } from "../model/_exports.ts";
import { attempt, type Checked, type Outcome, within } from "./outcome.ts";

/** How each export is unpacked, what is opened of it, and how far perplexity may be off. */
export const EXPORTS: Readonly<
  Record<string, { readonly files: readonly Exported[]; readonly limit: number }>
> = {
  "model.onnx": { files: ["model.onnx"], limit: 1e-4 },
  "decoder_model_merged.onnx": { files: ["decoder_model_merged.onnx"], limit: 1e-4 },
  "decoder_model.onnx": { files: ["decoder_model.onnx", "decoder_with_past_model.onnx"], limit: 1e-4 },
  "fused.onnx": { files: ["fused.onnx", "fused.onnx.data"], limit: 1e-4 },
  "model_fp16.onnx": { files: ["model_fp16.onnx"], limit: 2e-2 },
};

/** What is measured of each export. */
const RUNS: Readonly<Record<string, Wanted>> = {
  baseline: { policy: methods.baseline(), skip: [0], positions: "absolute" },
  streaming_llm: {
    policy: methods.streaming_llm({ start_size: 4, recent_size: 12 }),
    skip: [0],
    positions: "absolute",
  },
  "streaming_llm@cache": {
    policy: methods.streaming_llm({ start_size: 4, recent_size: 12 }),
    skip: [0],
    positions: "cache",
  },
  fix_size_l2: {
    policy: methods.fix_size_l2({ fix_kv_size: 16, keep_ratio: 0.5 }),
    skip: [0],
    positions: "absolute",
  },
};

/** Perplexity of the text token by token, and what is generated after a prompt. */
function measure(runtime: Runtime, path: string, wanted: Wanted, profile?: string) {
  const model = openModelFolder(path);
  using engine = new Engine(runtime, model, { ...optionsFor(model, wanted), kernels: "ort", profile });
  const { perplexity, cacheSizes } = measureQuality(engine, ids, STEPS, 3);
  return { perplexity, cacheSizes, generated: measureSpeed(engine, ids, lengths, 3).tokens };
}

/** All checks of an export. */
export async function* exportOutcomes(runtime: Runtime, cpu: Runtime, name: string): AsyncGenerator<Outcome> {
  const { files, limit } = EXPORTS[name]!;
  using folder = new ExportFolder();
  // The data's name is what the graph calls it.
  for (const file of files) await folder.put(file, file === "fused.onnx.data" ? "model.onnx.data" : file);
  const profiles = Deno.makeTempDirSync({ prefix: "kvcompress_profile_" });
  for (const [how, wanted] of Object.entries(RUNS)) {
    yield attempt(`${name}, ${how}`, () => {
      const theirs = measure(runtime, join(folder.path, name), wanted, join(profiles, how));
      const there = measure(cpu, original, wanted);
      const here = runtime === cpu ? there : measure(runtime, original, wanted);
      const off = ({ perplexity }: typeof there) => Math.abs(theirs.perplexity / perplexity - 1);
      const { verdict, text } = within(limit, {
        "perplexity off the safetensors' by": off(here),
        ...(runtime === cpu ? {} : { "off theirs on the CPU by": off(there) }),
      });
      const isSame = (a: readonly number[], b: readonly number[]) => a.join() === b.join();
      const differs = [
        ...(isSame(theirs.cacheSizes, there.cacheSizes) ? [] : ["cache sizes differ"]),
        // In half precision another token may be the most likely.
        ...(isSame(theirs.generated, there.generated) || limit > 1e-3 ? [] : ["other tokens are generated"]),
      ];
      return { verdict: differs.length === 0 ? verdict : "failed", text: [text, ...differs].join("; ") };
    });
  }
  yield attempt(`${name}, nodes by place`, () => placed(placement(profiles)));
  Deno.removeSync(profiles, { recursive: true });
}

/** What ran where is for people to read; that something ran is checked. */
const placed = (text: string): Checked => ({ verdict: /(^|; )[1-9]/.test(text) ? "passed" : "empty", text });

/** An event of ORT's profile. */
interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  readonly args?: {
    readonly op_name?: string;
    readonly provider?: string;
    readonly output_type_shape?: readonly Readonly<Record<string, readonly number[]>>[];
  };
}

/** An output of floats that is more than a number worked out from sizes. */
const isTensor = (output: Readonly<Record<string, readonly number[]>>) =>
  Object.entries(output).some(([type, shape]) => /float/.test(type) && shape.reduce((a, b) => a * b, 1) > 1);

/**
 * Where the nodes ran, by the profiles in a folder: which operators on the CPU, and what was copied there and back. ORT
 * works out shapes there on purpose; tensors are there where CUDA has no kernel, or next to one that is.
 */
export function placement(folder: string): string {
  const kinds = ["on the device", "of tensors on the CPU", "of sizes on the CPU", "copies"] as const;
  const found = new Map(kinds.map((kind) => [kind, new Map<string, Set<string>>()]));
  for (const { name: file } of Deno.readDirSync(folder)) {
    const events: ProfileEvent[] = JSON.parse(Deno.readTextFileSync(join(folder, file)));
    for (const { cat, name, args: { op_name: op, provider, output_type_shape: outputs = [] } = {} } of events) {
      if (cat !== "Node" || op === undefined || provider === undefined) continue;
      const isOnCpu = provider === "CPUExecutionProvider";
      const kind = op.startsWith("Memcpy")
        ? "copies"
        : !isOnCpu
        ? "on the device"
        : outputs.some(isTensor)
        ? "of tensors on the CPU"
        : "of sizes on the CPU";
      const nodes = found.get(kind)!;
      nodes.set(op, (nodes.get(op) ?? new Set()).add(name));
    }
  }
  const isElsewhere = found.get("on the device")!.size > 0;
  return [...found].map(([kind, ops]) => {
    const nodes = [...ops].map(([op, { size }]) => `${size} ${op}`);
    const all = [...ops.values()].reduce((sum, { size }) => sum + size, 0);
    return `${all} ${kind}${isElsewhere && all > 0 && kind !== "on the device" ? ` (${nodes.join(", ")})` : ""}`;
  }).join("; ");
}
