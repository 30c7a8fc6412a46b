import { match } from "node:assert/strict";
import { termsOf } from "../../lib/report/terms.ts";
import { inventResults } from "./_invent.ts";

Deno.test("termsOf() names a text by what stands last in its path", () => {
  const of = (dataset: string) => termsOf(inventResults({ baseline: [{}] }, { dataset }));
  match(of("/home/me/texts/book.txt"), / of book\.txt {2}·/);
  match(of("-"), / of standard input {2}·/);
  match(of("pg19"), / of pg19 {2}·/);
});
