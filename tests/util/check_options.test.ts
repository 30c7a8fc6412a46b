import { equal, match, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  callback,
  checkOptions,
  either,
  flag,
  integer,
  type Kind,
  listOf,
  number,
  object,
  oneOf,
  orNull,
  required,
  signal,
  text,
} from "../../lib/util/check_options.ts";
import { InputError } from "../../lib/util/errors.ts";

const known = { cache_size: integer(1), recent_size: integer(0), name: required(text) };

function refuses(given: unknown, message: RegExp, of = "tova", kinds: Record<string, Kind> = known): void {
  throws(() => checkOptions(of, given, kinds), (error) => {
    ok(error instanceof InputError);
    match(error.message, message);
    match(error.message, /^Cannot [^\n]*[^.\n]$/);
    return true;
  });
}

Deno.test("checkOptions() refuses an unknown option, and suggests the nearest", () => {
  refuses(
    { name: "x", cache_sizes: 64 },
    /^Cannot use option "cache_sizes" of tova: there is no such option; did you mean cache_size\?$/,
  );
  refuses(
    { name: "x", zebra: 1 },
    /^Cannot use option "zebra" of tova: .*; the options are cache_size, recent_size, name$/,
  );
  refuses({ zebra: undefined }, /"zebra" of tova: there is no such option; it takes none$/, "tova", {});
  // Inherited properties are not options.
  refuses({ name: "x", toString: 1 }, /"toString" of tova: there is no such option/);
  refuses(JSON.parse('{"name": "x", "__proto__": 1}'), /"__proto__" of tova: there is no such option/);
});

Deno.test("checkOptions() refuses a value that is not an object, and one without a required option", () => {
  for (const other of [null, undefined, 64, "64", [64], () => {}]) {
    refuses(other, /^Cannot use the options of tova: found .*, an object is needed$/);
  }
  refuses({}, /^Cannot use the options of tova: name is missing, a text is needed$/);
  refuses({ name: undefined }, /name is missing/);
});

Deno.test("checkOptions() accepts omitted options and valid values", () => {
  checkOptions("tova", { name: "x" }, known);
  checkOptions("tova", { name: "x", cache_size: undefined, recent_size: 0 }, known);
  checkOptions("baseline", {}, {});
});

const KINDS: [Kind, unknown[], unknown[]][] = [
  [text, ["", "a"], [1, null, {}]],
  [flag, [true, false], ["true", 1, null]],
  [callback, [() => {}], [{}, "f"]],
  [number, [1, -1.5, NaN], ["1", null, 1n]],
  [object, [{}], [null, [], "x", () => {}]],
  [signal, [new AbortController().signal], [new AbortController(), {}]],
  [integer(1), [1, 300], [0, -1, 1.5, NaN, Infinity, "300", null, 2 ** 53]],
  [oneOf("cuda", "cpu"), ["cpu"], ["gpu", "", null, ["cpu"]]],
  [listOf("layers", (item) => typeof item === "number"), [[], [1, 2]], [["1"], 1, "1,2", { length: 0 }]],
  [either(text, flag), ["a", true], [1, null]],
  [orNull(text), ["a", null], [1]],
];

Deno.test("kinds take what they say, and nothing else; messages show what was found", () => {
  for (const [kind, fitting, others] of KINDS) {
    for (const value of fitting) checkOptions("it", { option: value }, { option: kind });
    for (const value of others) {
      refuses({ option: value }, /^Cannot use option "option" of it: found /, "it", { option: kind });
    }
  }
  refuses({ option: "300" }, /found "300", an integer of at least 1 is needed$/, "it", { option: integer(1) });
  const circle: unknown[] = [];
  circle.push(circle);
  refuses({ option: circle }, /found /, "it", { option: text });
  refuses({ option: "x".repeat(1000) }, /^.{1,200}$/, "it", { option: flag });
});

Deno.test("checkOptions() takes exactly the names there are, whatever the names", () => {
  const name = fc.string({ minLength: 1, maxLength: 12 });
  fc.assert(fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 6 }), name, (names, other) => {
    const kinds = Object.fromEntries(names.map((name) => [name, number]));
    checkOptions("it", Object.fromEntries(names.map((name) => [name, 1])), kinds);
    let refused = false;
    try {
      checkOptions("it", Object.fromEntries([[other, 1]]), kinds);
    } catch {
      refused = true;
    }
    equal(refused, !Object.hasOwn(kinds, other));
  }));
});
