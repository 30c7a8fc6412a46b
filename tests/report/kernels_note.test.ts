import { equal, match } from "node:assert/strict";
import { kernelsNote } from "../../lib/report/tables/kernels_note.ts";

const own = (name: string) => ({ name, kernels: "own" }) as const;
const ort = (name: string, reason?: string) =>
  ({ name, kernels: "ort", ...(reason === undefined ? {} : { kernels_reason: reason }) }) as const;

Deno.test("kernelsNote() is silent where times compare, on a CPU, and of results that do not say", () => {
  equal(kernelsNote([own("baseline"), own("h2o_256")]), "");
  equal(kernelsNote([ort("baseline"), ort("h2o_256")]), "");
  equal(kernelsNote([ort("baseline", "--kernels ort"), ort("h2o_256", "--kernels ort")]), "");
  equal(kernelsNote([{ name: "baseline" }]), "");
});

Deno.test("kernelsNote() names configurations that fell back while others did not, by reason", () => {
  match(
    kernelsNote([own("baseline"), ort("keydiff_256", "A"), ort("keydiff_512", "A"), ort("mine", "B"), own("h2o_256")]),
    /^Times do not compare: steps of keydiff_256, keydiff_512 ran ONNX Runtime's kernels \(A\), of mine ran ONNX Runtime's kernels \(B\), all others the project's own/,
  );
});

Deno.test("kernelsNote() says why none ran the project's own, unless that was asked for", () => {
  equal(
    kernelsNote([ort("baseline", "A"), ort("keydiff_256", "A")]),
    "Decode steps ran ONNX Runtime's kernels, not the project's own: A",
  );
});
