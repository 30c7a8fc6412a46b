import proto from "onnx-proto";
import { openRegularSync } from "../util/regular_file.ts";

const { onnx } = proto;

/** Where an initializer's bytes lie in the model's file. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

/** A model read without its weights. */
export interface SkimmedModel {
  /** The model; initializers in {@linkcode spans} have no data. */
  readonly model: proto.onnx.IModelProto;
  /** An initializer that was left in the file → where it is. */
  readonly spans: ReadonlyMap<proto.onnx.ITensorProto, Span>;
}

/** Field numbers of onnx.proto3. */
const GRAPH = 7, INITIALIZER = 5, RAW_DATA = 9;
/** Wire types of protobuf. */
const VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5;
/** Most fields of a model: nodes, names and initializers of a decoder are some 10,000. */
const MOST_FIELDS = 2_000_000;
/** Bytes read at a time, at least. */
const BUFFER = 1 << 16;

/**
 * Reads an ONNX model without its weights: initializers of more than `inline` bytes stay in the file, and are not read.
 *
 * @param path Path of the file.
 * @param inline Largest initializer to read, bytes.
 * @returns The model, and where the others are.
 * @throws {SyntaxError} If the file is not a protobuf message, or ends within one.
 * @throws What opening or reading the file throws.
 */
export function skimModel(path: string, inline: number): SkimmedModel {
  using file = openRegularSync(path);
  const reader = new Reader(file);
  const spans = new Map<proto.onnx.ITensorProto, Span>();
  const initializers: proto.onnx.ITensorProto[] = [];
  const outside: Uint8Array[] = [], inside: Uint8Array[] = [];
  for (const field of reader.fields(0, file.statSync().size)) {
    if (field.number !== GRAPH || field.wire !== BYTES) {
      outside.push(reader.bytes(field.start, field.end));
      continue;
    }
    for (const part of reader.fields(field.body, field.end)) {
      if (part.number === INITIALIZER && part.wire === BYTES) initializers.push(initializer(part));
      else inside.push(reader.bytes(part.start, part.end));
    }
  }
  const model = onnx.ModelProto.decode(joined(outside));
  model.graph = onnx.GraphProto.decode(joined(inside));
  model.graph.initializer = initializers;
  return { model, spans };

  function initializer({ body, end }: Field): proto.onnx.ITensorProto {
    const kept: Uint8Array[] = [];
    let span: Span | undefined;
    for (const field of reader.fields(body, end)) {
      const length = field.end - field.body;
      if (field.number === RAW_DATA && length > inline) span = { offset: field.body, length };
      else kept.push(reader.bytes(field.start, field.end));
    }
    const tensor = onnx.TensorProto.decode(joined(kept));
    if (span) spans.set(tensor, span);
    return tensor;
  }
}

/** A field of a message: where its tag, its content and what follows begin. */
interface Field {
  readonly number: number;
  readonly wire: number;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/** Reads protobuf fields from anywhere in a file. */
class Reader {
  #buffer: Uint8Array = new Uint8Array();
  /** Fields read so far. */
  #read = 0;
  /** Where in the file the buffer begins. */
  #at = 0;

  constructor(readonly file: Deno.FsFile) {}

  /** The fields of the message from `at` to `end`. */
  *fields(at: number, end: number): Generator<Field> {
    for (let start = at; start < end;) {
      const [tag, afterTag] = this.#varint(start, end);
      // A file that was not written to its end holds zeros: every two of them would be a field.
      if (tag < 8 || ++this.#read > MOST_FIELDS) throw new SyntaxError(`no field, or one too many, at byte ${start}`);
      const wire = tag & 7;
      let body = afterTag, next: number;
      if (wire === VARINT) next = this.#varint(afterTag, end)[1];
      else if (wire === FIXED64) next = afterTag + 8;
      else if (wire === FIXED32) next = afterTag + 4;
      else if (wire === BYTES) {
        const [length, afterLength] = this.#varint(afterTag, end);
        body = afterLength;
        next = afterLength + length;
      } else throw new SyntaxError(`wire type ${wire} at byte ${start}`);
      if (next > end) throw new SyntaxError(`a field at byte ${start} ends at ${next}, after the end at ${end}`);
      yield { number: Math.floor(tag / 8), wire, start, body, end: next };
      start = next;
    }
  }

  /** Bytes of the file. */
  bytes(from: number, to: number): Uint8Array {
    const length = to - from;
    if (from < this.#at || to > this.#at + this.#buffer.length) this.#fill(from, length);
    if (this.#buffer.length - (from - this.#at) < length) throw new SyntaxError(`the file ends before byte ${to}`);
    return this.#buffer.slice(from - this.#at, to - this.#at);
  }

  #varint(at: number, end: number): [value: number, next: number] {
    const bytes = this.bytes(at, Math.min(at + 10, end));
    let value = 0;
    for (let i = 0; i < bytes.length; i++) {
      value += (bytes[i]! & 0x7f) * 2 ** (7 * i);
      if (bytes[i]! < 0x80) return [value, at + i + 1];
    }
    throw new SyntaxError(`no number at byte ${at}`);
  }

  #fill(from: number, length: number): void {
    this.file.seekSync(from, Deno.SeekMode.Start);
    const buffer = new Uint8Array(Math.max(BUFFER, length));
    let filled = 0;
    for (let n; filled < length && (n = this.file.readSync(buffer.subarray(filled))) !== null;) filled += n;
    this.#at = from;
    this.#buffer = buffer.subarray(0, filled);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
