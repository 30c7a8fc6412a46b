/** What requires a compilation, and what does not. */
import { equal, notEqual } from "node:assert/strict";
import { toFileUrl } from "@std/path";
import { codeOf, CUDA_FOLDER, cudaDigest, cudaFiles } from "../../lib/kernels/cuda_source.ts";
import { COMPILER } from "../../lib/kernels/ptx_files.ts";

/** The digest of a copy of the source in which one file was changed. */
function digestAfter(name: string, change: (text: string) => string): string {
  const path = Deno.makeTempDirSync();
  try {
    const folder = toFileUrl(`${path}/`);
    for (const file of cudaFiles()) Deno.copyFileSync(new URL(file, CUDA_FOLDER), new URL(file, folder));
    const text = Deno.readTextFileSync(new URL(name, folder)), changed = change(text);
    notEqual(changed, text);
    Deno.writeTextFileSync(new URL(name, folder), changed);
    return cudaDigest(COMPILER, folder);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}

const digest = cudaDigest(COMPILER);

Deno.test("cudaDigest() is that of code: comments and blank space do not count", () => {
  for (const file of cudaFiles()) {
    equal(digestAfter(file, (text) => `// one\n${text}\n/* two\n * three */\n`), digest, file);
    equal(digestAfter(file, (text) => text.replaceAll("\n", "\r\n")), digest, file);
  }
  equal(digestAfter("drop.cuh", (text) => text.replaceAll(/^ +/gm, "    ").replaceAll(/ *\/\/.*$/gm, "")), digest);
});

Deno.test("cudaDigest() changes with any code, in any file, and with the compiler's options", () => {
  for (const file of cudaFiles()) notEqual(digestAfter(file, (text) => `${text}\nstruct Added2 {};\n`), digest, file);
  notEqual(digestAfter("attend.cuh", (text) => text.replace("KEY_LOADS = 4", "KEY_LOADS = 5")), digest);
  notEqual(digestAfter("attend.cuh", (text) => text.replace("#pragma unroll 4", "#pragma unroll 8")), digest);
  notEqual(digestAfter("common.cuh", (text) => text.replace("ld.global.nc", "ld.global")), digest); // in a string
  notEqual(cudaDigest({ ...COMPILER, options: ["-ptx", "-O2"] }), digest);
});

Deno.test("codeOf() drops comments and blank space, and nothing else", () => {
  const same = [
    ["int a;// b", "int  a ;"],
    ["a /* b // c */ d", "a d"],
    ["a // b \\\n c\nd", "a d"],
    ["a/**/b", "a b"],
    ["#define A 1 // b\nc", "  #  define   A 1\n\nc"].map((text) => text.replace("#  define", "#define")),
    ["#define A \\\n  1", "#define A   1"],
    ["x = 'a' /* ' */;", "x = 'a';"],
    ['f("a\\"// b"); // c', 'f( "a\\"// b" ) ;'],
  ];
  for (const [a, b] of same) equal(codeOf(a!), codeOf(b!), a);
  const different = [
    ['f("// a")', 'f("// b")'],
    ['f("/* a */")', 'f("")'],
    ['f("a  b")', 'f("a b")'],
    ["'\"' /* a */ '\"'", "'\"' /* b */ '\"' c"],
    ['R"(// a)"', 'R"(// b)"'],
    ['R"x()" // a)x"', 'R"x()" // b)x"'],
    ["a b", "ab"],
    ["a + +b", "a ++b"],
    ["a - -b", "a--b"],
    ["1.5e-3", "1.5e - 3"],
    ["#define F(a) b", "#define F (a) b"],
    ["#define A 1\nb", "#define A 1 b"],
    ["#if A\n#endif", "#if A #endif"],
    ["x / y", "x"],
  ];
  for (const [a, b] of different) notEqual(codeOf(a!), codeOf(b!), a);
});
