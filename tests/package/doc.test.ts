/** The defaults shown by `deno doc` are those of the code. */
import { deepEqual, ok } from "node:assert/strict";
import { fromFileUrl } from "@std/path";
import { methodNames, methods } from "../../lib/policies/registry.ts";
import { DEFAULTS } from "../../lib/run/plan/device_defaults.ts";
import { FLAG_TABLE } from "../../lib/cli/flags/table.ts";
import { MIN_CHARS } from "../../lib/text/dataset.ts";

/** The part of `deno doc --json` that is read here. */
interface DocNode {
  readonly name: string;
  readonly declarations: readonly {
    readonly jsDoc?: { readonly doc?: string };
    readonly def: {
      readonly extends?: readonly { readonly repr: string }[];
      readonly properties?: readonly {
        readonly name: string;
        readonly jsDoc?: { readonly tags?: readonly { readonly kind: string; readonly value?: string }[] };
      }[];
    };
  }[];
}

const project = fromFileUrl(new URL("../..", import.meta.url));
const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["doc", "--json", "mod.ts"], cwd: project })
  .output();
const [{ symbols }] = Object.values(JSON.parse(new TextDecoder().decode(stdout)).nodes) as [{ symbols: DocNode[] }];

/** Returns field → its `@default`, or undefined. Fields of the extended interfaces come first. */
function defaultsOf(name: string): Record<string, string | undefined> {
  const { def } = symbols.find((symbol) => symbol.name === name)!.declarations[0]!;
  const own = (def.properties ?? []).map(({ name, jsDoc }) =>
    [name, jsDoc?.tags?.find(({ kind }) => kind === "default")?.value] as const
  );
  return Object.assign({}, ...(def.extends ?? []).map(({ repr }) => defaultsOf(repr)), Object.fromEntries(own));
}

const parsed = (defaults: Record<string, string | undefined>) =>
  Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, JSON.parse(value!)]));

Deno.test("deno doc shows every method's parameters with their defaults", () => {
  for (const method of methodNames) {
    const doc = `Parameters of \`methods.${method}\`.`;
    const type = symbols.find(({ declarations }) => declarations[0]!.jsDoc?.doc === doc);
    if (method === "baseline") deepEqual([type, methods.baseline.defaults], [undefined, {}]);
    else deepEqual(parsed(defaultsOf(type!.name)), methods[method].defaults, method);
  }
});

Deno.test("deno doc shows the options' defaults", () => {
  const shown = defaultsOf("BenchmarkOptions");
  for (const [name, cpu] of Object.entries(DEFAULTS.cpu)) {
    const cuda = DEFAULTS.cuda[name as keyof typeof DEFAULTS.cuda];
    deepEqual(shown[name], cpu === cuda ? `${cpu}` : `device === "cuda" ? ${cuda} : ${cpu}`, name);
    delete shown[name];
  }
  const without = Object.keys(shown).filter((name) => shown[name] === undefined);
  deepEqual(without.sort(), [
    "command",
    "configuration_timeout",
    "configurations",
    "method",
    "onConfiguration",
    "onDownload",
    "onNote",
    "onProgress",
    "prefill_chunk",
    "resume",
    "signal",
    "timeout",
    "trace_every",
  ]);
  for (const name of without) delete shown[name];
  // Defaults that the command line has too, and those which it leaves to the code that reads texts and models.
  const later = { revision: "main", split: "test", text_column: "text", min_chars: MIN_CHARS };
  // Switches turn these off.
  for (const name of ["divergence", "chart"]) {
    deepEqual([shown[name], FLAG_TABLE[`no_${name}` as keyof typeof FLAG_TABLE].default], ["true", false]);
    delete shown[name];
  }
  // These are a script's alone.
  for (const [name, value] of Object.entries({ compared_with: '"baseline"', tokens: "false" })) {
    deepEqual(shown[name], value);
    delete shown[name];
  }
  for (const [name, value] of Object.entries(parsed(shown))) {
    const flag = FLAG_TABLE[name as keyof typeof FLAG_TABLE];
    ok(flag, name);
    const expected = Object.hasOwn(later, name) ? later[name as keyof typeof later] : flag.default;
    deepEqual(name === "positions" ? [value] : value, expected, name);
  }
});
