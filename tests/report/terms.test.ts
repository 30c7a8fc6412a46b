import { doesNotMatch, match } from "node:assert/strict";
import { termsOf } from "../../lib/report/charts/terms.ts";
import { inventResults } from "./_invent.ts";

Deno.test("termsOf() names a text by what stands last in its path", () => {
  const of = (dataset: string) => termsOf(inventResults({ baseline: [{}] }, { dataset }));
  match(of("/home/me/texts/book.txt"), / of book\.txt {2}·/);
  match(of("-"), / of standard input {2}·/);
  match(of("pg19"), / of pg19 {2}·/);
});

Deno.test("termsOf() says whose kernels ran steps on a GPU, where it is known", () => {
  const of = (device: "cuda" | "cpu", ...kernels: ("own" | "ort" | undefined)[]) => {
    const results = inventResults({ baseline: [{}] }, { device });
    const configurations = kernels.map((kernels) => kernels === undefined ? {} : { kernels });
    return termsOf({ ...results, configurations });
  };
  match(of("cuda", "own", "own"), /float16 {2}· {2}own kernels {2}·/);
  match(of("cuda", "ort"), /float16 {2}· {2}ORT's kernels {2}·/);
  match(of("cuda", "own", "ort"), /float16 {2}· {2}own and ORT's kernels {2}·/);
  for (const line of [of("cuda", undefined), of("cpu", "ort")]) doesNotMatch(line, /kernels/);
});
