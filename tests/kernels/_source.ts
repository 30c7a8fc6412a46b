/** What step.cu says, read from its text: enumerations, structures and where their fields lie by C's rules. */

const text = Deno.readTextFileSync(new URL("../../lib/kernels/step.cu", import.meta.url));
const code = text.replaceAll(/\/\/.*$/gm, "");

/** A `#define` that is a number. */
export function definition(name: string): number {
  const found = new RegExp(`^#define ${name} (\\d+)\\s*$`, "m").exec(code);
  if (!found) throw new Error(`step.cu defines no ${name}`);
  return Number(found[1]);
}

/** Names of an enumeration in order, in lower case as programs have them. */
export function enumeration(name: string): string[] {
  const found = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(code);
  if (!found) throw new Error(`step.cu has no enumeration ${name}`);
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
  if (!found) throw new Error(`step.cu has no structure ${name}`);
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
