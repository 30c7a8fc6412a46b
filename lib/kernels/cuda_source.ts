import { createHash } from "node:crypto";

/** Spaces, comments, literals, names, numbers, operators, and what is left. C++ before C++20, without trigraphs. */
const TOKENS = new RegExp(
  [
    /(?<newline>\n)/,
    /(?<blank>[^\S\n]+|\/\/[^\n]*|\/\*[^]*?\*\/)/,
    /(?:u8|[uUL])?R"(?<raw>[^()\\\s]*)\([^]*?\)\k<raw>"/,
    /(?:u8|[uUL])?"(?:\\.|[^"\\\n])*"/,
    /(?:u8|[uUL])?'(?:\\.|[^'\\\n])*'/,
    /[A-Za-z_$][\w$]*/,
    /\.?\d(?:[eEpP][+-]|'?[\w.])*/,
    /<<=|>>=|\.\.\.|->\*|::|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|##/,
    /[^]/,
  ].map((part) => part.source).join("|"),
  "y",
);

/**
 * Returns the code of a CUDA or C++ source without its comments and blank space: this decides whether to compile it
 * again. Strings are unchanged. Directives keep their lines, and one blank for each blank space: in `#define` it has a
 * meaning.
 *
 * @example
 * ```ts
 * import { codeOf } from "./cuda_source.ts";
 *
 * console.log(codeOf('int  a; // "one"') === codeOf("/* two *\/ int a;")); // true
 * console.log(codeOf('f("// a")') === codeOf('f("// b")')); // false
 * ```
 *
 * @param text The source.
 * @returns Its tokens, separated by blanks.
 */
export function codeOf(text: string): string {
  let code = "", blank = false, lineStart = true, directive = false;
  const joined = text.replaceAll("\r\n", "\n").replaceAll("\\\n", "");
  TOKENS.lastIndex = 0;
  for (let found = TOKENS.exec(joined); found; found = TOKENS.exec(joined)) {
    if (found.groups!.newline !== undefined) {
      if (directive) code += "\n";
      directive = blank = false;
      lineStart = true;
      continue;
    }
    if (found.groups!.blank !== undefined) {
      blank = true;
      continue;
    }
    if (lineStart && found[0] === "#") {
      directive = true;
      if (code && !code.endsWith("\n")) code += "\n";
    } else if (!directive || blank) {
      code += code && !code.endsWith("\n") ? " " : "";
    }
    code += found[0];
    blank = lineStart = false;
  }
  return code.trim();
}

/** The files of the kernels' source, by name. */
export const CUDA_FOLDER: URL = new URL("./cuda/", import.meta.url);

/**
 * Returns the names of the source files in a folder, sorted.
 *
 * @param folder The folder, with a slash at its end.
 * @returns Names that end in .cu or .cuh.
 *
 * @example
 * ```ts
 * import { cudaFiles } from "./cuda_source.ts";
 *
 * console.log(cudaFiles().includes("step.cu")); // true
 * ```
 */
export function cudaFiles(folder: URL = CUDA_FOLDER): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => /\.cuh?$/.test(name)).sort();
}

/**
 * Returns the SHA-256 of the code of all source files and of the compiler's options. Comments do not change it.
 *
 * @param options The compiler's options, hashed as JSON.
 * @param folder The folder of the sources, with a slash at its end.
 * @returns 64 hex digits.
 *
 * @example
 * ```ts
 * import { cudaDigest } from "./cuda_source.ts";
 *
 * console.log(cudaDigest(["-O3"]) === cudaDigest(["-O2"])); // false
 * ```
 */
export function cudaDigest(options: unknown, folder: URL = CUDA_FOLDER): string {
  const files = cudaFiles(folder).map((name) => [name, codeOf(Deno.readTextFileSync(new URL(name, folder)))]);
  return createHash("sha256").update(JSON.stringify({ options, files })).digest("hex");
}
