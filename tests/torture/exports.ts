/** Damaged ONNX exports, one for each seed. */
import { join } from "@std/path";
import proto from "onnx-proto";
import { type Exported, exported, original } from "../model/_exports.ts";
import { CONTROLS, damageBytes, damageJson, nonsense, oddBytes, replaceFile } from "./damage.ts";
import { CaseFolder, inPairs, judgeCase, type Opener } from "./judge.ts";
import { Chance } from "./chance.ts";
import type { TortureOptions, Verdict } from "./verdict.ts";

const { onnx } = proto;
type Model = proto.onnx.IModelProto;
type Tensor = proto.onnx.ITensorProto;

/** The files of each export, by their names in the case. */
const EXPORTS: readonly Readonly<Record<string, Exported>>[] = [
  { "model.onnx": "model.onnx" },
  { "model_fp16.onnx": "model_fp16.onnx" },
  { "decoder_model_merged.onnx": "decoder_model_merged.onnx" },
  { "decoder_model.onnx": "decoder_model.onnx", "decoder_with_past_model.onnx": "decoder_with_past_model.onnx" },
  { "model.onnx": "fused.onnx", "model.onnx.data": "fused.onnx.data" },
];

/** Moves initializers to a file next to the model, as in large exports. */
function externalize(model: Model, folder: string): Tensor[] {
  const moved: Tensor[] = [];
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const tensor of model.graph!.initializer!) {
    const { rawData } = tensor;
    if (!rawData || rawData.length < 2000) continue;
    parts.push(rawData.slice());
    tensor.externalData = [
      { key: "location", value: "weights.bin" },
      { key: "offset", value: String(offset) },
      { key: "length", value: String(rawData.length) },
    ];
    tensor.dataLocation = onnx.TensorProto.DataLocation.EXTERNAL;
    tensor.rawData = new Uint8Array();
    offset += rawData.length;
    moved.push(tensor);
  }
  const whole = new Uint8Array(offset);
  offset = 0;
  for (const part of parts) (whole.set(part, offset), offset += part.length);
  // An export with external data stays unchanged.
  if (moved.length === 0) return model.graph!.initializer!.filter(({ externalData }) => externalData?.length);
  Deno.writeFileSync(join(folder, "weights.bin"), whole);
  return moved;
}

const placeOf = (tensor: Tensor): string => tensor.externalData!.find(({ key }) => key === "location")!.value!;

/** Passes the logits through an endless loop. */
function loopForEver(model: Model): void {
  const graph = model.graph!;
  for (const { output } of graph.node!) {
    output!.forEach((name, i) => output![i] = name === "logits" ? "before.loop" : name);
  }
  const { BOOL, INT64 } = onnx.TensorProto.DataType;
  const info = (name: string, elemType: number, dim: proto.onnx.TensorShapeProto.IDimension[] = []) => ({
    name,
    type: { tensorType: { elemType, shape: { dim } } },
  });
  const type = graph.output!.find(({ name }) => name === "logits")!.type!.tensorType!;
  const body = {
    name: "body",
    input: [info("iteration", INT64), info("go", BOOL), { name: "carried", type: { tensorType: type } }],
    output: [info("go.on", BOOL), { name: "carried.on", type: { tensorType: type } }],
    node: [
      { opType: "Identity", input: ["go"], output: ["go.on"] },
      { opType: "Neg", input: ["carried"], output: ["carried.on"] },
    ],
  };
  graph.initializer!.push({ name: "yes", dims: [], dataType: BOOL, rawData: Uint8Array.of(1) });
  graph.node!.push({
    opType: "Loop",
    name: "for ever",
    input: ["", "yes", "before.loop"],
    output: ["logits"],
    attribute: [{ name: "body", type: onnx.AttributeProto.AttributeType.GRAPH, g: body }],
  });
}

/** Damage to a graph. "endless" marks cases that may run for ever, "outside" those which must not be taken. */
const GRAPH: readonly ((model: Model, folder: string, chance: Chance) => string)[] = [
  function externalNumbers(model, folder, chance) {
    const tensor = chance.pick(externalize(model, folder));
    const entry = chance.pick(tensor.externalData!.filter(({ key }) => key === "offset" || key === "length"));
    const value = chance.pick([
      "0x10",
      "1e1",
      " 8 ",
      "-1",
      "",
      "+8",
      "8.0",
      "9007199254740993",
      "99999999999999999999",
      "8\n",
      "٨",
      CONTROLS[0]!,
    ]);
    entry.value = value;
    return `outside: ${entry.key} ${JSON.stringify(value)}`;
  },
  function externalPlace(model, folder, chance) {
    const tensor = chance.pick(externalize(model, folder));
    const value = chance.pick([
      ...[
        "/etc/passwd",
        "../outside/secret.txt",
        "./../outside/secret.txt",
        "..",
        "",
        join(folder, "..", "outside", "secret.txt"),
      ],
      ...[
        "a/../../outside/secret.txt",
        "..\\outside\\secret.txt",
        "weights.bin\0",
        "gone.bin",
        "n".repeat(5000),
        CONTROLS.join(""),
      ],
    ]);
    tensor.externalData!.find(({ key }) => key === "location")!.value = value;
    return `outside: location ${JSON.stringify(value.slice(0, 50))}`;
  },
  function externalFile(model, folder, chance) {
    const name = placeOf(externalize(model, folder)[0]!);
    return `${name} ${replaceFile(chance, join(folder, name))}`;
  },
  function externalShort(model, folder, chance) {
    const name = placeOf(externalize(model, folder)[0]!);
    const path = join(folder, name);
    Deno.truncateSync(path, chance.below(Deno.statSync(path).size));
    return `${name} is cut short`;
  },
  function externalTwice(model, folder, chance) {
    const moved = externalize(model, folder);
    chance.pick(moved).externalData = chance.pick(moved).externalData!;
    return "two tensors in one place";
  },
  function loop(model) {
    loopForEver(model);
    return "endless: loops for ever";
  },
  function nodes(model, _folder, chance) {
    const nodes = model.graph!.node!;
    // A merged export has one node, which may be taken out.
    for (let i = 1 + chance.below(3); i > 0 && nodes.length > 0; i--) {
      const node = chance.pick(nodes);
      const how = chance.below(7);
      if (how === 0) nodes.splice(nodes.indexOf(node), 1);
      else if (how === 1) {
        node.opType = chance.pick([
          "Nothing",
          "Add",
          "Identity",
          "Loop",
          "If",
          "Shape",
          CONTROLS[0]!,
          "x".repeat(100_000),
        ]);
      } else if (how === 2) node.input = node.input!.map(() => chance.pick(chance.pick(nodes).output!));
      else if (how === 3) node.output = [chance.pick(chance.pick(nodes).output!)];
      else if (how === 4) node.attribute = [];
      else if (how === 5) node.name = chance.pick([...CONTROLS, "x".repeat(1_000_000)]);
      else node.domain = chance.pick(["com.microsoft", "nowhere", CONTROLS[1]!]);
    }
    return "nodes changed";
  },
  function initializers(model, _folder, chance) {
    const tensor = chance.pick(model.graph!.initializer!);
    const how = chance.below(8);
    if (how === 0) {
      tensor.rawData = tensor.rawData?.slice(0, chance.below(1 + tensor.rawData.length)) ?? new Uint8Array();
    } else if (how === 1) {
      tensor.dims = chance.pick<number[]>([[], [0], [-1], [2 ** 40, 2 ** 40], [1, 2, 3], new Array(1000).fill(1)]);
    } else if (how === 2) tensor.dataType = chance.pick([0, 1, 7, 8, 10, 16, 99]);
    else if (how === 3) tensor.name = chance.pick([...CONTROLS, "n".repeat(1_000_000), "", "input_ids", "logits"]);
    else if (how === 4) model.graph!.initializer!.push({ ...tensor });
    else if (how === 5) model.graph!.initializer = model.graph!.initializer!.filter((other) => other !== tensor);
    else if (how === 6 && tensor.rawData) {
      tensor.rawData = tensor.rawData.slice().fill(chance.below(256));
    } else tensor.rawData = new Uint8Array(chance.below(100));
    return `initializer changed (${how})`;
  },
  function numbers(model, _folder, chance) {
    const [value, what] = chance.pick([[NaN, "NaN"], [Infinity, "infinity"], [3e38, "3e38"]] as const);
    for (const tensor of model.graph!.initializer!) {
      if (tensor.dataType !== 1 || !tensor.rawData?.length || !chance.happens(0.2)) continue;
      const raw = tensor.rawData.slice();
      const view = new DataView(raw.buffer);
      for (let at = 0; at + 4 <= raw.length; at += 4 * (1 + chance.below(50))) view.setFloat32(at, value, true);
      tensor.rawData = raw;
    }
    return `weights have ${what}`;
  },
  function signature(model, _folder, chance) {
    const graph = model.graph!;
    const list = chance.pick([graph.input!, graph.output!]);
    const info = chance.pick(list);
    const how = chance.below(6);
    if (how === 0) list.splice(list.indexOf(info), 1);
    else if (how === 1) {
      info.name = chance.pick([...CONTROLS, "n".repeat(100_000), "", "logits", "present.99999999999.key"]);
    } else if (how === 2) {
      info.type = chance.pick<proto.onnx.ITypeProto>([{}, { tensorType: {} }, { tensorType: { elemType: 99 } }]);
    } else if (how === 3) {
      info.type = {
        tensorType: { elemType: chance.below(20), shape: { dim: [{ dimValue: chance.pick([0, -1, 2 ** 31, 5]) }] } },
      };
    } else if (how === 4) list.push({ ...info });
    else {for (const dim of info.type?.tensorType?.shape?.dim ?? []) {
        dim.dimParam = chance.pick(CONTROLS).repeat(chance.pick([1, 10_000]));
      }}
    return `signature changed (${how})`;
  },
  function header(model, _folder, chance) {
    const how = chance.below(5);
    if (how === 0) {
      model.opsetImport = chance.pick<proto.onnx.IOperatorSetIdProto[]>([[], [{ version: 99 }], [{ version: -1 }], [{
        domain: CONTROLS[0]!,
        version: 1,
      }]]);
    } else if (how === 1) model.irVersion = chance.pick([0, 3, 99, -1]);
    else if (how === 2) model.graph!.node = [];
    else if (how === 3) model.metadataProps = [{ key: CONTROLS[0]!, value: "v".repeat(1_000_000) }];
    else model.functions = [{ name: "f", domain: "d", node: [{ opType: "f", domain: "d" }] }];
    return `header changed (${how})`;
  },
];

/** Makes the case of a seed in a folder; returns what was done. */
export async function damagedExport(seed: number, folder: string): Promise<string> {
  const chance = new Chance(seed ^ 0x5bd1e995);
  const files = chance.pick(EXPORTS);
  for (const name of ["config.json", "tokenizer.json"]) Deno.copyFileSync(join(original, name), join(folder, name));
  for (const [name, from] of Object.entries(files)) Deno.writeFileSync(join(folder, name), await exported(from));
  const name = chance.pick(Object.keys(files));
  const path = join(folder, name);
  const kind = chance.below(10);
  if (kind === 0) {
    const [bytes, how] = damageBytes(chance, Deno.readFileSync(path), chance.happens(0.5) ? 3000 : undefined);
    Deno.writeFileSync(path, bytes);
    return `${name} ${how}`;
  }
  if (kind === 1) return `${name} ${replaceFile(chance, path)}`;
  if (kind === 2) {
    const [bytes, how] = oddBytes(chance);
    Deno.writeFileSync(path, bytes);
    return `${name} ${how}`;
  }
  if (kind === 3) {
    const config = JSON.parse(Deno.readTextFileSync(join(folder, "config.json")));
    if (chance.happens(0.3)) config.model_type = chance.pick(["bloom", "other", CONTROLS[0], "t".repeat(1_000_000)]);
    const how = chance.happens(0.5)
      ? damageJson(chance, config)
      : `changes vocab_size to ${config.vocab_size = nonsense(chance)}`;
    Deno.writeTextFileSync(join(folder, "config.json"), JSON.stringify(config));
    return `config.json ${how.slice(0, 100)}`;
  }
  if (name.endsWith(".data")) return `${name} ${replaceFile(chance, path)}`;
  const model = onnx.ModelProto.decode(Deno.readFileSync(path));
  const done = chance.pick(GRAPH)(model, folder, chance);
  Deno.writeFileSync(path, onnx.ModelProto.encode(model).finish());
  return `${name}: ${done}`;
}

/** Opens damaged exports. */
export async function* run({ seed, count, wholeOneIn }: TortureOptions): AsyncIterable<Verdict> {
  yield* inPairs(Array.from({ length: count }, (_, i) => seed + i), async (seed: number, opener: Opener) => {
    await using folder = new CaseFolder();
    const damage = await damagedExport(seed, folder.given);
    const verdict = await judgeCase({
      group: "exports",
      seed,
      damage,
      // Hashing a large file takes minutes: such a case ends by SIGTERM.
      endless: damage.includes("endless") || /(data|bin) is a sparse file/.test(damage),
      opening: { type: "model", path: folder.given },
      args: ["--model_id", folder.given],
      wholeOneIn,
    }, opener);
    if (verdict.outcome !== "taken" || !damage.includes("outside")) return verdict;
    return { ...verdict, outcome: "failed", detail: `is taken: ${damage}` };
  });
}
