import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { envFor, loaderFolders, MODEL_ENV, NETWORK_ENV } from "../../lib/process/child_env.ts";
import { Environment } from "../hub/_environment.ts";

Deno.test("envFor() hands on what it is asked for, and no secret or variable of the loader's, however it is called", () => {
  const name = fc.stringMatching(/^(LD_|DYLD_|HF_|AWS_|)[A-Z_]{1,12}$/);
  fc.assert(fc.property(fc.dictionary(name, fc.string({ unit: fc.constantFrom("a", "/", ":") })), (variables) => {
    const secrets = { HF_TOKEN: "hf_secret", LD_PRELOAD: "/x.so", LD_BIND_NOW: "1", LD_LIBRARY_PATH: "/a:/b" };
    const set = { ...variables, ...secrets };
    const known = new Set(Object.keys(envFor([...MODEL_ENV, ...NETWORK_ENV])));
    using _env = new Environment(set);
    for (const names of [[], MODEL_ENV, NETWORK_ENV, [...MODEL_ENV, ...NETWORK_ENV]]) {
      const env = envFor(names);
      for (const name of Object.keys(set)) {
        ok(known.has(name) || names.some((asked) => asked === name) || !Object.hasOwn(env, name), name);
      }
      ok(!Object.keys(env).some((name) => /^(DY)?LD_/.test(name) || name === "HF_TOKEN"));
    }
    equal(envFor(["HF_TOKEN"]).HF_TOKEN, "hf_secret");
  }));
});

Deno.test("a child that runs models is told of the loader's folders, others are not", () => {
  using _env = new Environment({ LD_LIBRARY_PATH: "/sw/cuda/lib64:/sw/cudnn/lib" });
  const env = envFor(MODEL_ENV);
  equal(loaderFolders((name) => env[name]), "/sw/cuda/lib64:/sw/cudnn/lib");
  deepEqual(loaderFolders((name) => envFor(NETWORK_ENV)[name]), undefined);
});
