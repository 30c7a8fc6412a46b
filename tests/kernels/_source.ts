/** What the CUDA source defines: constants, enumerations, structures and where their fields lie by C's rules. */
import { CUDA_FOLDER, cudaFiles } from "../../lib/kernels/cuda_source.ts";

const code = cudaFiles().map((name) => Deno.readTextFileSync(new URL(name, CUDA_FOLDER))).join("\n")
  .replaceAll(/\/\/.*$/gm, "");

/** Constants and their expressions, as written: numbers, and quotients of others. */
const expressions: ReadonlyMap<string, string> = new Map(
  [...code.matchAll(/^constexpr int (\w+) = ([^;]+);/gm)].map(([, name, expression]) => [name!, expression!]),
);

/** Names of all `constexpr int`s. */
export const definitions: readonly string[] = [...expressions.keys()];

/** The value of a `constexpr int`. */
export function definition(name: string): number {
  const expression = expressions.get(name);
  if (expression === undefined) throw new Error(`the CUDA source defines no ${name}`);
  const factors = expression.split("/").map((part) => part.trim());
  if (!factors.every((part) => /^\w+$/.test(part))) throw new Error(`${name} = ${expression} is no quotient`);
  return factors.map((part) => /^\d+$/.test(part) ? Number(part) : definition(part)).reduce((a, b) => a / b);
}

/** Names of an enumeration in order, in lower case as programs have them. */
export function enumeration(name: string): string[] {
  const found = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(code);
  if (!found) throw new Error(`the CUDA source has no enumeration ${name}`);
  return found[1]!.split(",").map((name) => name.trim().toLowerCase());
}

/** A field of a structure, elements of arrays and fields of structures in it one by one: `segment[1].rows`. */
export interface CField {
  readonly name: string;
  readonly offset: number;
  readonly type: "pointer" | "i64" | "int" | "float";
}

/** A structure as C lays it out. */
export interface CStruct {
  readonly size: number;
  readonly align: number;
  readonly fields: readonly CField[];
}

/** A structure's layout: each field aligned to its own alignment, the whole to the largest of them. */
export function structure(name: string): CStruct {
  const found = new RegExp(`struct ${name} \\{([^}]*)\\};`).exec(code);
  if (!found) throw new Error(`the CUDA source has no structure ${name}`);
  const fields: CField[] = [];
  let at = 0, align = 1;
  for (const declaration of found[1]!.split(";").map((line) => line.trim()).filter(Boolean)) {
    const [, type, rest] = /^(?:const\s+)?(\w+)\s*([^]*)$/.exec(declaration)!;
    for (const declarator of rest!.split(",")) {
      const [, star, field, count] = /^\s*(\*?)\s*(\w+)\s*(?:\[(\w+)\])?\s*$/.exec(declarator)!;
      const one = star ? SCALARS.pointer! : SCALARS[type!] ?? structure(type!);
      const elements = count === undefined ? 1 : /^\d+$/.test(count) ? Number(count) : definition(count);
      align = Math.max(align, one.align);
      at = Math.ceil(at / one.align) * one.align;
      for (let i = 0; i < elements; i++, at += one.size) {
        const own = count === undefined ? field! : `${field}[${i}]`;
        for (const { name, offset, type } of one.fields) {
          fields.push({ name: name ? `${own}.${name}` : own, offset: at + offset, type });
        }
      }
    }
  }
  return { size: Math.ceil(at / align) * align, align, fields };
}

const scalar = (type: CField["type"], size: number): CStruct => ({
  size,
  align: size,
  fields: [{ name: "", offset: 0, type }],
});

const SCALARS: Readonly<Record<string, CStruct>> = {
  pointer: scalar("pointer", 8),
  i64: scalar("i64", 8),
  int: scalar("int", 4),
  float: scalar("float", 4),
};

/** A structure's fields, read from its bytes; pointers as addresses. */
export function readStruct(name: string, bytes: Uint8Array<ArrayBuffer>): Record<string, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Object.fromEntries(
    structure(name).fields.map(({ name, offset, type }) => [
      name,
      type === "float"
        ? view.getFloat32(offset, true)
        : type === "int"
        ? view.getInt32(offset, true)
        : Number(view.getBigInt64(offset, true)),
    ]),
  );
}
