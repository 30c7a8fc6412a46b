import { equal } from "node:assert/strict";
import { methods } from "../../lib/policies/registry.ts";
import { runTitle } from "../../lib/run/plan/run_title.ts";

const title = (...policies: ReturnType<typeof methods.tova>[]) =>
  runTitle(policies.map((policy, i) => ({ name: `${i}`, policy })));

Deno.test("runTitle() names one method alone, several together, many by their number, and never one of several", () => {
  const { baseline, recent_only, streaming_llm, tova, h2o } = methods;
  equal(title(baseline(), recent_only(), streaming_llm(), streaming_llm({ recent_size: 60 })), "streaming_llm");
  equal(title(baseline(), streaming_llm(), tova(), h2o(), tova({ cache_size: 64 })), "streaming_llm+tova+h2o");
  equal(title(...Object.values(methods).map((make) => make())), "12_methods");
  equal(title(baseline()), "baseline");
  equal(title(baseline(), recent_only()), "recent_only");
});
