/** Numbers that TypeScript and the CUDA source both define. */
import { deepEqual, equal, ok } from "node:assert/strict";
import * as constants from "../../lib/kernels/constants.ts";
import { CUDA_FOLDER } from "../../lib/kernels/cuda_source.ts";
import { definition, definitions } from "./_source.ts";

const lib = new URL("../../lib/", import.meta.url);

function* sources(folder: URL): Generator<URL> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* sources(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield new URL(name, folder);
  }
}

Deno.test("constants.ts has the CUDA source's numbers", () => {
  ok(Object.keys(constants).length > 10);
  for (const [name, value] of Object.entries(constants)) equal(value, definition(name), name);
});

Deno.test("no other file of lib has a number of its own by a name of the CUDA source", () => {
  const own = new RegExp(`\\b(${definitions.join("|")}) = [\\d_]+\\b`);
  const found = [...sources(lib)].filter((file) => !file.pathname.endsWith("/lib/kernels/constants.ts"))
    .filter((file) => own.test(Deno.readTextFileSync(file)));
  deepEqual(found.map((file) => file.pathname), []);
  ok(own.test(Deno.readTextFileSync(new URL("kernels/constants.ts", lib))));
});

Deno.test("the kernels' random numbers have random_graph.ts's factors", () => {
  const between = (text: string, from: string, to: string) => {
    const at = text.indexOf(from);
    ok(at >= 0, from);
    return text.slice(at, text.indexOf(to, at));
  };
  const numbers = (text: string) =>
    new Set(text.match(/(?<![\w.])\d[\d_]+/g)?.map((x) => Number(x.replaceAll("_", ""))));
  const cuda = Deno.readTextFileSync(new URL("drop_program.cuh", CUDA_FOLDER));
  const graph = Deno.readTextFileSync(new URL("cache/random_graph.ts", lib));
  const ours = numbers(between(cuda, "constexpr u64 PRIME", "#pragma unroll"));
  const theirs = numbers(
    between(graph, "const PRIME", ";") + between(graph, "let x = mod", "  // A linear") +
      between(graph, "ROUNDS:", "];"),
  );
  ok(theirs.has(1103515245) && theirs.has(784588716) && theirs.has(11));
  deepEqual([...ours].filter((x) => x > 64).sort(), [...theirs].filter((x) => x > 64).sort());
});
