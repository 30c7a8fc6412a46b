import { deepEqual, match, ok, rejects } from "node:assert/strict";
import { hubFile, hubList, hubModel } from "../../lib/hub/hub.ts";
import { InputError } from "../../lib/util/errors.ts";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { methods } from "../../lib/policies/registry.ts";
import { runBenchmark } from "../../lib/run/benchmark.ts";
import { optionsOf } from "../../lib/cli/flags/options_of.ts";
import { parseFlags } from "../../lib/cli/flags/parse.ts";

const baseline = { name: "baseline", policy: methods.baseline() };

async function refuses(run: () => unknown, message: RegExp): Promise<void> {
  await rejects(async () => await run(), (error) => {
    ok(error instanceof InputError, `${error}`);
    match(error.message, message);
    return true;
  });
}
/** Drops the types, as an uncompiled script would. */
const run = (options: unknown) => runBenchmark(options as Parameters<typeof runBenchmark>[0]);

Deno.test("runBenchmark() refuses options that it does not have, before anything else", async () => {
  const configurations = [baseline];
  const option = (option: object, message: RegExp) => refuses(() => run({ configurations, ...option }), message);
  await option(
    { max_token: 300 },
    /^Cannot use option "max_token" of runBenchmark: there is no such option; did you mean max_tokens\?$/,
  );
  await option({ maxTokens: 300 }, /"maxTokens" of runBenchmark: .*did you mean max_tokens\?$/);
  await option(
    { max_tokens: "300" },
    /^Cannot use option "max_tokens" of runBenchmark: found "300", a number is needed$/,
  );
  await option({ device: "gpu" }, /found "gpu", "auto" or "cuda" or "cpu" is needed$/);
  await option({ skip_layers: "0,1" }, /"skip_layers" of runBenchmark: found "0,1", a list of layers is needed$/);
  await option({ skip_layers: ["0"] }, /a list of layers is needed$/);
  await option({ output: false }, /found false, a text or null is needed$/);
  await option({ seed: NaN }, /found NaN, an integer of at least 0 is needed$/);
  await option({ trace: 1 }, /found 1, true or false is needed$/);
  await option({ onNote: "log" }, /found "log", a function is needed$/);
  await option({ dtype: "fp16" }, /found "fp16", "auto" or "float32"/);
  await refuses(() => run({}), /^Cannot use the options of runBenchmark: configurations is missing/);
  await refuses(() => run(undefined), /^Cannot use the options of runBenchmark: found undefined/);
});

Deno.test("runBenchmark() refuses malformed configurations", async () => {
  const configuration = (given: unknown, message: RegExp) =>
    refuses(() => run({ configurations: [baseline, given] }), message);
  await configuration(
    { ...baseline, name: "x", position: "cache" },
    /"position" of configuration "x": .*did you mean positions\?$/,
  );
  await configuration(
    { ...baseline, name: "x", positions: "relative" },
    /found "relative", "absolute" or "cache" or "seed"/,
  );
  await configuration(
    { name: "x", policy: methods.tova },
    /^Cannot use configuration "x": its policy is a function .*; call it, as in tova\(\), or give the configuration a budget$/,
  );
  await configuration({ name: "x" }, /^Cannot use the options of configuration "x": policy is missing/);
  await configuration({ policy: methods.tova() }, /^Cannot use the options of configuration 2: name is missing/);
  await configuration(methods.tova(), /of configuration 2: there is no such option|name is missing/);
  await configuration(null, /^Cannot use the options of configuration 2: found null/);
  const policy = (given: object, message: RegExp) => configuration({ name: "x", policy: given }, message);
  await policy({ ...methods.tova(), sore: 1 }, /"sore" of the policy of configuration "x": .*did you mean score\?$/);
  await policy({ method: "mine", params: {} }, /the policy of configuration "x": keep is missing/);
  await policy(
    { ...methods.tova(), params: { size: [4] } },
    /^Cannot use parameter "size" of configuration "x": found \[4\]/,
  );
});

Deno.test("the hub's functions and openModelFolder() refuse options that they do not have", async () => {
  const loose = (call: unknown, ...given: unknown[]) => () => (call as (...given: unknown[]) => unknown)(...given);
  await refuses(loose(hubModel, { repo: "a/b", revison: "v1" }), /"revison" of hubModel: .*did you mean revision\?$/);
  await refuses(loose(hubModel, { repo: "a/b" }, { ofline: true }), /"ofline" of hubModel: .*did you mean offline\?$/);
  await refuses(loose(hubModel, { repo: "a/b", dtype: "fp16" }), /"dtype" of hubModel: found "fp16"/);
  await refuses(loose(hubModel, "a/b"), /^Cannot use the options of hubModel: found "a\/b", an object is needed$/);
  await refuses(loose(hubFile, { repo: "a/b" }), /^Cannot use the options of hubFile: path is missing/);
  await refuses(loose(hubFile, { repo: "a/b", path: "x", file: "y" }), /"file" of hubFile/);
  await refuses(loose(hubList, { repo: "a/b", path: "x" }), /"path" of hubList/);
  await refuses(loose(hubList, { repo: "a/b", type: "data" }), /"type" of hubList: found "data", "model" or "dataset"/);
  await refuses(loose(hubList, { repo: "a/b" }, { offline: "yes" }), /found "yes", true or false is needed$/);
  await refuses(loose(openModelFolder, "/x", "fp16"), /^Cannot use openModelFolder's dtype: found "fp16"/);
  await refuses(loose(openModelFolder, { path: "/x" }), /^Cannot use the path of a model folder: found /);
});

Deno.test("optionsOf() takes those flags that are a run's options, and drops none of them", () => {
  const flags = parseFlags(["--max_tokens", "300", "--trace", "--positions", "cache", "--recent_sizes", "12"]);
  const options = optionsOf(flags);
  const { max_tokens, trace, positions, seed } = options;
  deepEqual({ max_tokens, trace, positions, seed }, { max_tokens: 300, trace: true, positions: ["cache"], seed: 0 });
  for (const other of ["recent_sizes", "compare_all", "json", "warnings"]) ok(!Object.hasOwn(options, other), other);
});
