/**
 * A tiny model and its ONNX exports, as other tools wrote them. By optimum-cli 2.1 with optimum-onnx 0.1 and torch
 * 2.15: `model.onnx`, opset 18, and with --dtype fp16 `model_fp16.onnx`. By optimum 1.23 with torch 2.4, opset 14,
 * `--legacy`: `decoder_…`. By the model builder of onnxruntime-genai 0.9.2, `-p fp32 -e webgpu`: `fused.onnx` and its
 * data, which it calls model.onnx and model.onnx.data. Random weights, a tokenizer of bytes.
 */
import { fromFileUrl, join } from "@std/path";

const fixtures = fromFileUrl(new URL("../fixtures/exports", import.meta.url));

/** The model's folder, with its safetensors. */
export const original = fixtures;

/** What was written. */
export type Exported =
  | "model.onnx"
  | "model_fp16.onnx"
  | "decoder_model.onnx"
  | "decoder_model_merged.onnx"
  | "decoder_with_past_model.onnx"
  | "fused.onnx"
  | "fused.onnx.data";

/** The bytes of an export. */
export async function exported(name: Exported): Promise<Uint8Array<ArrayBuffer>> {
  const file = await Deno.open(join(fixtures, `${name}.gz`));
  const stream = file.readable.pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A temporary folder with the model's config.json and tokenizer.json, and files at given paths. */
export class ExportFolder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "export-" });

  constructor() {
    for (const name of ["config.json", "tokenizer.json"]) this.write(name, Deno.readFileSync(join(fixtures, name)));
  }

  /** Writes a file; returns its path. */
  write(name: string, content: Uint8Array): string {
    const path = join(this.path, name);
    if (name.includes("/")) Deno.mkdirSync(join(path, ".."), { recursive: true });
    Deno.writeFileSync(path, content);
    return path;
  }

  /** Writes an export, under its name or another; returns its path. */
  async put(name: Exported, as: string = name): Promise<string> {
    return this.write(as, await exported(name));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
