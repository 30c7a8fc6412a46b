import { dirname, isAbsolute, join } from "@std/path";
import proto from "onnx-proto";
import { InputError } from "../../util/errors.ts";
import { graphsIn } from "../../onnx/nodes_of.ts";
import { type SkimmedModel, skimModel } from "../../onnx/skim_model.ts";
import { printable } from "../../util/printable.ts";
import { NotRegular, openRegularSync } from "../../util/regular_file.ts";
import { isThere, whyUnreadable } from "../folder/files.ts";
import { commonFolder, location } from "../graph/weights.ts";

const { onnx } = proto;
const { EXTERNAL } = onnx.TensorProto.DataLocation;

/** An initializer of more bytes than this stays in its file. Smaller ones may be shapes, which ORT wants to see. */
const INLINE = 1024;

/** A model file that was read. */
export interface OnnxFile {
  readonly path: string;
  readonly model: proto.onnx.IModelProto;
  /** The folder that file names are relative to: the one that the model and its data have in common, links followed. */
  readonly folder: string;
  /** Paths of the model and of the files that hold its data. */
  readonly files: readonly string[];
  /** Bytes of all of them. */
  readonly bytes: number;
  /** Returns where an initializer lies, as the graph of another model states it: in these files, not in that model. */
  readonly place: (tensor: proto.onnx.ITensorProto) => proto.onnx.ITensorProto;
}

/**
 * Reads an ONNX model, and finds the files that hold its data.
 *
 * @param path Path of the .onnx file.
 * @returns What it holds.
 * @throws {InputError} If it is not an ONNX model, or data that it points to is missing.
 */
export function readOnnxFile(path: string): OnnxFile {
  const { model, spans } = skim(path);
  const tensors = [...graphsIn(model.graph!)].flatMap(({ initializer }) => initializer ?? []);
  const data = new Set<string>();
  for (const tensor of tensors.filter(({ dataLocation }) => dataLocation === EXTERNAL)) {
    data.add(checkData(path, tensor));
  }
  const files = [path, ...data];
  const real = new Map(files.map((file) => [file, Deno.realPathSync(file)]));
  const folder = commonFolder([...real.values()]);
  const at = (file: string) => location(folder, real.get(file)!);
  return {
    path,
    model,
    folder,
    files,
    bytes: files.reduce((sum, file) => sum + Deno.statSync(file).size, 0),
    place: (tensor) => {
      if (tensor.dataLocation === EXTERNAL) {
        const { file, ...rest } = external(path, tensor);
        return { ...tensor, externalData: entries({ location: at(file), ...rest }) };
      }
      // Bytes in this model's own file are external to the other model too.
      const span = spans.get(tensor);
      if (!span) return tensor;
      return { ...tensor, dataLocation: EXTERNAL, externalData: entries({ location: at(path), ...span }) };
    },
  };
}

function skim(path: string): SkimmedModel {
  const fail = (why: string, cause?: unknown): never => {
    throw new InputError(`Cannot use ${path}: ${isPointer(path) ? POINTER : `${why}; download it again`}`, { cause });
  };
  let skimmed: SkimmedModel;
  try {
    skimmed = skimModel(path, INLINE);
  } catch (cause) {
    if (isOfSystem(cause)) {
      throw new InputError(`Cannot read ${path}: ${whyUnreadable(path, cause)}`, { cause });
    }
    return fail("it is no ONNX model, or was cut short", cause);
  }
  return skimmed.model.graph?.node?.length ? skimmed : fail("it is no ONNX model: it has no graph");
}

/** Whether an error is that a file could not be opened or read, not that its content is wrong. */
function isOfSystem(error: unknown): boolean {
  const { NotFound, NotCapable, PermissionDenied } = Deno.errors;
  return error instanceof Error && "code" in error ||
    [NotFound, NotCapable, PermissionDenied, NotRegular].some((kind) => error instanceof kind);
}

const POINTER = "it is a Git LFS pointer; run `git lfs pull` in its folder";

/** Whether the file is a Git LFS pointer. */
function isPointer(path: string): boolean {
  const start = new Uint8Array(24);
  using file = openRegularSync(path);
  file.readSync(start);
  return new TextDecoder().decode(start) === "version https://git-lfs.";
}

/** Returns where an initializer says that its data lies. */
function external(path: string, { name, externalData }: proto.onnx.ITensorProto) {
  const said = new Map(externalData?.map(({ key, value }) => [key, value]));
  const place = said.get("location") ?? "";
  const shown = printable(name ?? "", 100);
  if (place === "" || isAbsolute(place) || place.includes("\0") || place.split(/[/\\]/).includes("..")) {
    throw new InputError(
      `Cannot use ${path}: tensor "${shown}" lies in "${printable(place, 200)}", which is not next to the model`,
    );
  }
  const number = (key: string) => {
    const value = said.get(key);
    if (value === undefined) return {};
    // ORT reads leading digits only; Number() would read "0x10", "1e1", " 8 " and "" as other numbers.
    if (!/^\d+$/.test(value ?? "") || !Number.isSafeInteger(Number(value))) {
      throw new InputError(
        `Cannot use ${path}: tensor "${shown}" has ${key} "${
          printable(value ?? "", 50)
        }" in its file, not a decimal number of ` +
          "bytes; export the model again",
      );
    }
    return { [key]: Number(value) };
  };
  return { file: join(dirname(path), place), ...number("offset"), ...number("length") } as {
    readonly file: string;
    readonly offset?: number;
    readonly length?: number;
  };
}

/** Checks that an initializer's data exists; returns its file. */
function checkData(path: string, tensor: proto.onnx.ITensorProto): string {
  const { file, offset = 0, length = 0 } = external(path, tensor);
  if (!isThere(file)) {
    throw new InputError(
      `Cannot use ${path}: its weights are in ${printable(file)}, which does not exist; download it as well`,
    );
  }
  let size: number;
  try {
    using opened = openRegularSync(file);
    size = opened.statSync().size;
  } catch (cause) {
    throw new InputError(`Cannot use ${path}: its weights are in ${printable(file)}: ${whyUnreadable(file, cause)}`, {
      cause,
    });
  }
  if (!(offset + length <= size)) {
    throw new InputError(
      `Cannot use ${path}: tensor "${printable(tensor.name ?? "", 100)}" ends at byte ${offset + length} of ${
        printable(file)
      }, which has ${size}; ` +
        "it was cut short, or is another model's: download both again",
    );
  }
  return file;
}

function entries(said: Readonly<Record<string, string | number>>): proto.onnx.IStringStringEntryProto[] {
  return Object.entries(said).map(([key, value]) => ({ key, value: String(value) }));
}
