import { stripTypeScriptTypes } from "node:module";
import { dirname, join } from "@std/path";

/** An import of names, as this project writes it; a renamed one has "as". */
const IMPORT = /^import\s*\{([^}]*)\}\s*from\s*"(\.[^"]+)";[ \t]*$/gm;
/** An export of a declaration. */
const EXPORT = /^export\s+((?:async\s+)?function\*?|const|let|class)\s+([A-Za-z_$][\w$]*)/gm;

/**
 * Joins modules to one script for a page: a file opened from a disk cannot import others.
 *
 * Types are taken out, nothing else: what runs in the page is what is in the files, comments included. Each module
 * becomes a function that returns its exports, so that names of two modules do not collide.
 *
 * @param entry Path of the module that begins; it may import modules of the project by name, of any folder.
 * @returns The code.
 * @throws {Error} If a module imports or exports in another way, or modules import each other in a circle.
 *
 * @example
 * ```ts
 * import { clientCode } from "./client_code.ts";
 *
 * const folder = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${folder}/a.ts`, 'import { two } from "./b.ts";\nconsole.log(two as number);\n');
 * await Deno.writeTextFile(`${folder}/b.ts`, "export const two: number = 2;\n");
 * new Function(await clientCode(`${folder}/a.ts`))(); // 2
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function clientCode(entry: string): Promise<string> {
  const modules: string[] = [];
  const names = new Map<string, string>();
  const open: string[] = [];
  await add(entry);
  return `"use strict";\n${modules.join("\n")}\n`;

  /** Adds a module after those that it imports, and returns its name. */
  async function add(path: string): Promise<string> {
    const known = names.get(path);
    if (known !== undefined) return known;
    if (open.includes(path)) throw new Error(`Cannot join ${entry}: ${[...open, path].join(" imports ")}`);
    open.push(path);
    const code = stripTypeScriptTypes(await Deno.readTextFile(path));
    const imported = new Map<string, string>();
    for (const [, , specifier] of code.matchAll(IMPORT)) {
      imported.set(specifier!, await add(join(dirname(path), specifier!)));
    }
    open.pop();
    const exported: string[] = [];
    const body = code
      .replaceAll(
        IMPORT,
        (_, list: string, specifier: string) =>
          `const {${list.replaceAll(/\s+as\s+/g, ": ")}} = ${imported.get(specifier)};`,
      )
      .replaceAll(EXPORT, (_, kind: string, name: string) => {
        exported.push(name);
        return `${kind} ${name}`;
      });
    const other = /^(?:import|export)\b.*$|\bimport\s*\(|\bimport\.meta\b/m.exec(withoutComments(body));
    if (other) throw new Error(`Cannot join ${path}: it has "${other[0]}"; import and export by name`);
    const name = `$${names.size}`;
    names.set(path, name);
    modules.push(`const ${name} = (() => {\n${body.trim()}\nreturn { ${exported.join(", ")} };\n})();`);
    return name;
  }
}

function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
}
