/** The engine benchmark as a user runs it: in a child process, at a small size. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "@std/path";
import type { RooflineResults, RooflineRow } from "../../lib/roofline/results.ts";
import { type Ended, project, taskArguments, TemporaryFolder } from "./_bench.ts";

/** Runs `deno task bench:engine` to its end. */
async function engine(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArguments("bench:engine"), ...args],
    cwd: project,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

const LAYERS = 3, KV_HEADS = 1, HEADS = 2, HEAD_DIM = 16, HIDDEN = 32, VOCAB = 600;
/** A shape with fewer KV heads than heads. It is untied, so that its embedding is only a lookup table. */
const config = {
  model_type: "llama",
  hidden_act: "silu",
  hidden_size: HIDDEN,
  intermediate_size: 48,
  max_position_embeddings: 512,
  num_attention_heads: HEADS,
  num_hidden_layers: LAYERS,
  num_key_value_heads: KV_HEADS,
  head_dim: HEAD_DIM,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
  vocab_size: VOCAB,
};
const small = ["--device", "cpu", "--lengths", "32,16", "--full_lengths", "64", "--steps", "6", "--prefills", "1"];
const quick = [...small, "--read_mib", "16", "--methods", "h2o,streaming_llm"];

/** Returns every tensor of a model's file, from the file's own header. */
function stored(folder: string): { name: string; shape: number[] }[] {
  const bytes = Deno.readFileSync(join(folder, "model.safetensors"));
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  return Object.entries<{ shape: number[] }>(header).map(([name, { shape }]) => ({ name, shape }));
}

const near = (a: number, b: number) => ok(Math.abs(a - b) <= 1e-9 * Math.abs(b), `${a} is not ${b}`);
const middle = (values: readonly number[]) => {
  const sorted = values.toSorted((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
};

Deno.test("bench:engine: its figures add up, and the model is deleted at the end", async () => {
  await using folder = new TemporaryFolder();
  const shape = join(folder.path, "config.json");
  Deno.writeTextFileSync(shape, JSON.stringify(config));
  const kept = join(folder.path, "kept");
  Deno.mkdirSync(kept);
  const { code, stdout, stderr } = await engine([...quick, "--shape", shape, "--keep", "--json"], { TMPDIR: kept });
  equal(code, 0, stderr);
  match(stderr, /^ +\d+\.\d s {2}\[1\/4\] baseline \(fused\): 16, 32, 64$/m);
  const results: RooflineResults = JSON.parse(stdout);
  const [model] = folder.names("kept")!;
  ok(stderr.includes(join(kept, model!)), "where the model stays");

  // Bytes, from the file itself: float32 on a CPU; one row of the embedding.
  const tensors = stored(join(kept, model!));
  const numbers = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  equal(results.model.weightBytes, 4 * numbers);
  equal(results.model.stepWeightBytes, 4 * (numbers - (VOCAB - 1) * HIDDEN));
  equal(results.model.entryBytes, 2 * KV_HEADS * HEAD_DIM * 4);

  const key = ({ method, attention, length }: RooflineRow) => `${method} ${attention} ${length}`;
  deepEqual(results.rows.map(key), [
    ...[16, 32].flatMap((length) => [
      `baseline fused ${length}`,
      `baseline explicit ${length}`,
      `h2o explicit ${length}`,
      `streaming_llm fused ${length}`,
    ]),
    "baseline fused 64",
  ]);
  deepEqual(results.failures, []);
  const bandwidth = Math.max(...results.bandwidths.map(({ bytes_per_s }) => bytes_per_s));
  equal(results.bandwidth.bytes_per_s, bandwidth);
  for (const row of results.rows) {
    const { raw, tpot_s, ttft, bytes, memory } = row;
    equal(bytes.kv, row.length * LAYERS * results.model.entryBytes, key(row));
    equal(bytes.weights, results.model.stepWeightBytes);
    near(row.floor_s, (bytes.weights + bytes.kv) / bandwidth);
    near(row.ratio, tpot_s.median / row.floor_s);
    equal(raw.step_s.length, 6);
    equal(tpot_s.median, middle(raw.step_s));
    ok(tpot_s.low <= tpot_s.median && tpot_s.median <= tpot_s.high && tpot_s.p95 <= Math.max(...raw.step_s));
    ok(raw.step_s.every((step, i) => 0 < raw.run_s[i]! && raw.run_s[i]! < step && raw.queue_s[i]! <= step));
    ok(0 < row.host_share && row.host_share < 1, key(row));
    // In each step, every KV head of every layer reuses one slot.
    equal(raw.entries_copied, row.method === "baseline" ? 0 : 6 * LAYERS * KV_HEADS, key(row));
    equal(memory.theory, results.model.weightBytes + bytes.kv);
    equal(memory.peak, null);
    if (row.length === 64) equal(ttft, null);
    else near(ttft!.flops_per_s, ttft!.flops / middle(raw.ttft_s));
    const full = results.rows.find((other) =>
      other.method === "baseline" && other.attention === row.attention && other.length === row.length
    )!;
    if (row.method === "baseline") equal(row.eviction_share, null);
    else near(row.eviction_share!, 1 - full.tpot_s.median / tpot_s.median);
  }
  // By hand: the blocks' matrices for each token, the output matrix once, causal attention.
  const matrices = tensors.filter(({ name, shape }) => shape.length === 2 && !/embed_tokens|lm_head/.test(name))
    .reduce((sum, { shape }) => sum + shape[0]! * shape[1]!, 0);
  equal(
    results.rows[0]!.ttft!.flops,
    2 * matrices * 16 + 2 * VOCAB * HIDDEN + 4 * LAYERS * HEADS * HEAD_DIM * (16 * 17 / 2),
  );
  deepEqual(results.break_even.map(({ method, budget, within }) => [method, budget, within]), [
    ["h2o", 16, 64],
    ["streaming_llm", 16, 64],
    ["h2o", 32, 64],
    ["streaming_llm", 32, 64],
  ]);
  const { control } = results;
  equal(control!.length, 16);
  equal(control!.first_s, results.rows[0]!.tpot_s.median);
  equal(control!.again_s, middle(control!.raw.step_s));
  near(1 + control!.drift, Math.max(control!.first_s, control!.again_s) / Math.min(control!.first_s, control!.again_s));
  const start = results.start!;
  near(start.first_token_s, Object.values(start.parts).reduce((a, b) => a + b));
  ok(Object.values(start.parts).every((part) => part >= 0) && start.parts.process_s > 0 && start.parts.prompt_s > 0);
  equal(start.prompt_tokens, 16);
  equal(start.read_s.length, 3);
  equal(start.file_bytes, Deno.statSync(join(kept, model!, "model.safetensors")).size);
  equal(results.environment.gpu, null);
  equal(results.config.random_weights, true);
});

Deno.test("bench:engine: the table, for an existing model", async () => {
  await using folder = new TemporaryFolder();
  const model = join(project, "lib", "assets", "novel-neox-8m");
  const { code, stdout, stderr } = await engine(
    [...small, "--read_mib", "16", "--methods", "none", "--model_id", model],
    { TMPDIR: folder.path },
  );
  equal(code, 0, stderr);
  deepEqual(folder.names(), []);
  const lines = stdout.trimEnd().split("\n");
  const rows = lines.filter((line) => /^baseline +fused/.test(line)).map((line) => line.split(/ +/));
  deepEqual(rows.map((row) => row[3]), ["16", "32", "64"]);
  ok(rows.every((row) => row[2] === "ort"), "a CPU has no other kernels");
  for (const [, , , , floor, tpot, p95, n, ratio, evict] of rows) {
    equal(n, "6");
    equal(evict, "-");
    ok(Number(p95) >= Number(tpot));
    ok(
      Math.abs(Number(tpot) / Number(floor) - Number(ratio)) < 0.02 * Number(ratio) + 0.01,
      `${tpot} ${floor} ${ratio}`,
    );
  }
  match(stdout, /^From the start of a process to the first token after 16: \d.*, prompt \d+\.\d\d$/m);
  ok(!stdout.includes("Break-even"), "without a method there is none");
});

Deno.test("bench:engine: an interrupted run leaves no model behind", async () => {
  if (Deno.build.os === "windows") return;
  await using folder = new TemporaryFolder();
  const shape = join(folder.path, "config.json"), temporary = join(folder.path, "tmp");
  Deno.writeTextFileSync(shape, JSON.stringify(config));
  Deno.mkdirSync(temporary);
  const process = new Deno.Command(Deno.execPath(), {
    args: [...taskArguments("bench:engine"), ...quick, "--shape", shape],
    cwd: project,
    env: { NO_COLOR: "1", TMPDIR: temporary },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let said = "", sent = false;
  for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
    said += text;
    if (!sent && said.includes("Reading memory")) {
      sent = true;
      process.kill("SIGTERM");
    }
  }
  equal((await process.status).code, 143, said);
  deepEqual(folder.names("tmp"), []);
});

for (
  const [args, message] of [
    ["--methods h20", /^Cannot read --methods: found "h20", did you mean h2o\? give one of /],
    ["--shape pythia-2.8", /^Cannot read --shape: found "pythia-2.8", did you mean pythia-2.8b\? give one of /],
    ["--model_id /no/such/model", /^Cannot open model \/no\/such\/model: /m],
  ] as const
) {
  Deno.test(`bench:engine: refuses ${args}`, async () => {
    const { code, stdout, stderr } = await engine([...args.split(" "), "--device", "cpu"]);
    match(stderr, message);
    equal(code, 2, stderr);
    equal(stdout, "");
    ok(!/^ +at /m.test(stderr), stderr);
  });
}
