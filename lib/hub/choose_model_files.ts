import type { FloatType } from "../util/dtype.ts";
import { chooseExport, filesOfExport } from "../model/export/find_export.ts";
import { printable } from "../util/printable.ts";
import { HubError } from "./errors.ts";

/** Optional files: a run reads them if the repository has them. */
export const OPTIONAL_FILES: readonly string[] = ["tokenizer_config.json"];

/** Files to fetch from a repository. */
export interface FileChoice {
  readonly files: readonly string[];
  /** The one of these that names further files to fetch. */
  readonly index?: string;
}

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/**
 * Chooses the files of a model's repository that a run reads: config, tokenizer and weights. Weights are safetensors, a
 * single file before a sharded one, else an ONNX export. This is decided here only: add other forms of weights here.
 *
 * @example
 * ```ts
 * import { chooseModelFiles } from "./choose_model_files.ts";
 *
 * const files = ["README.md", "config.json", "model.safetensors", "pytorch_model.bin", "tokenizer.json"];
 * console.log(chooseModelFiles(files, "org/name").files); // [ "config.json", "tokenizer.json", "model.safetensors" ]
 * ```
 *
 * @param all Paths of all files.
 * @param repo The repository's id, for messages.
 * @param dtype Type of the ONNX export to take, if there are several and no safetensors.
 * @returns The files to fetch, small ones first.
 * @throws {HubError} If the repository is not usable, with what would do.
 */
export function chooseModelFiles(
  all: readonly string[],
  repo: string,
  dtype: "auto" | FloatType = "auto",
): FileChoice {
  const has = (path: string) => all.includes(path);
  const fail = (what: string) => {
    throw new HubError("refused", `Cannot use model ${repo}: ${what}`);
  };
  if (!has("config.json")) {
    fail(
      all.some((path) => path.endsWith(".gguf"))
        ? `it holds GGUF files and no config.json; use the repository that they were made from, or download one of them (hf download ${repo} FILE.gguf) and name it: --model_id PATH/FILE.gguf`
        : "it has no config.json; a model in the form of Python's transformers is needed",
    );
  }
  const weights = [SINGLE, INDEX].find(has);
  const exported = weights === undefined ? chooseExport(has, dtype) : undefined;
  if (weights === undefined && !exported) fail(withoutWeights(all, repo));
  if (!has("tokenizer.json")) {
    fail(
      `it has no tokenizer.json; in Python, transformers.AutoTokenizer.from_pretrained("${repo}").save_pretrained(FOLDER) writes it, and with the other files in that folder --model_id FOLDER takes it`,
    );
  }
  const files = [
    "config.json",
    "tokenizer.json",
    ...OPTIONAL_FILES.filter(has),
    ...(exported ? filesOfExport(exported, all) : [weights!]),
  ];
  return weights === INDEX ? { files, index: INDEX } : { files };
}

function withoutWeights(all: readonly string[], repo: string): string {
  const of = (pattern: RegExp) => all.filter((path) => pattern.test(path)).map((path) => printable(path, 100));
  const pickled = of(/\.(bin|pt|pth|ckpt)$/);
  if (pickled.length > 0) {
    return `its weights are in ${
      pickled[0]
    }, not in safetensors; in Python, transformers.AutoModelForCausalLM.from_pretrained("${repo}").save_pretrained(FOLDER) writes them so, and the same of AutoTokenizer its tokenizer: then --model_id FOLDER. Or --revision refs/pr/N, where a pull request of the repository has them`;
  }
  const onnx = of(/\.onnx$/);
  if (onnx.length > 0) {
    return `it holds exports to ONNX, such as ${
      onnx[0]
    }, and none that is taken of itself for this --dtype (model.onnx, model_fp16.onnx and the like); download it, and name the file: --model_id FOLDER/${
      onnx[0]
    }`;
  }
  const others = of(/\.(safetensors|gguf|h5|msgpack)$/);
  return `it has neither ${SINGLE} nor ${INDEX}${others.length > 0 ? `, only ${others.slice(0, 3).join(", ")}` : ""}`;
}
