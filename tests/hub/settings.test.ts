import { deepEqual, equal, throws } from "node:assert/strict";
import { join } from "@std/path";
import { hubSettings, hubToken, secondsOf } from "../../lib/hub/settings.ts";
import { TemporaryFolder } from "../bench/_bench.ts";

/** Makes the environment of a user whose home is /home/ada. */
const envOf = (variables: Record<string, string>) => (name: string) => ({ HOME: "/home/ada", ...variables })[name];

// Compared with huggingface_hub 2.4.0's constants.HF_HUB_CACHE, by hand
for (
  const [variables, cache] of [
    [{}, "/home/ada/.cache/huggingface/hub"],
    [{ XDG_CACHE_HOME: "/x" }, "/x/huggingface/hub"],
    [{ XDG_CACHE_HOME: "/x", HF_HOME: "/hf" }, "/hf/hub"],
    [{ HF_HOME: "~/hf" }, "/home/ada/hf/hub"],
    [{ HF_HOME: "$HOME/hf" }, "/home/ada/hf/hub"],
    [{ HF_HOME: "/hf", HUGGINGFACE_HUB_CACHE: "/old" }, "/old"],
    [{ HF_HOME: "/hf", HUGGINGFACE_HUB_CACHE: "/old", HF_HUB_CACHE: "${HOME}/new" }, "/home/ada/new"],
    [{ HF_HUB_CACHE: "~ada/x" }, "~ada/x"], // another user's home is not known here
  ] as [Record<string, string>, string][]
) {
  Deno.test(
    `hubSettings() finds the cache of ${JSON.stringify(variables)}`,
    { ignore: Deno.build.os === "windows" },
    () => {
      equal(hubSettings(envOf(variables)).cache, cache);
    },
  );
}

Deno.test("hubSettings() takes HF_ENDPOINT with or without a slash, and refuses what is no address", () => {
  equal(hubSettings(envOf({})).endpoint, "https://huggingface.co");
  equal(hubSettings(envOf({ HF_ENDPOINT: "https://mirror.example/hub/" })).endpoint, "https://mirror.example/hub");
  for (const HF_ENDPOINT of ["mirror.example", "ftp://x"]) {
    throws(
      () => hubSettings(envOf({ HF_ENDPOINT })),
      /^InputError: Cannot use HF_ENDPOINT: found ".*", give an address/,
    );
  }
});

Deno.test("hubSettings() is offline as Python is", () => {
  const offline = (variables: Record<string, string>) => hubSettings(envOf(variables)).offline;
  for (const yes of ["1", "on", "YES", "True"]) {
    deepEqual([offline({ HF_HUB_OFFLINE: yes }), offline({ TRANSFORMERS_OFFLINE: yes })], [true, true]);
  }
  for (const no of ["0", "", "no", "2"]) equal(offline({ HF_HUB_OFFLINE: no }), false);
});

Deno.test("hubSettings() says where it looked for a home", () => {
  throws(
    () => hubSettings(() => undefined),
    /^InputError: Cannot find the Hugging Face cache: neither HF_HOME nor HOME/,
  );
});

Deno.test("hubToken() reads HF_TOKEN, else the file of `hf auth login`", async () => {
  await using folder = new TemporaryFolder();
  const HF_HOME = folder.path;
  equal(hubToken(envOf({ HF_HOME })), undefined);
  Deno.writeTextFileSync(join(folder.path, "token"), "hf_file\n");
  Deno.writeTextFileSync(join(folder.path, "other"), " hf_other\r\n");
  equal(hubToken(envOf({ HF_HOME })), "hf_file");
  equal(hubToken(envOf({ HF_HOME, HF_TOKEN_PATH: join(folder.path, "other") })), "hf_other");
  equal(hubToken(envOf({ HF_HOME, HUGGING_FACE_HUB_TOKEN: "hf_old" })), "hf_old");
  equal(hubToken(envOf({ HF_HOME, HUGGING_FACE_HUB_TOKEN: "hf_old", HF_TOKEN: "hf_new" })), "hf_new");
  equal(hubToken(envOf({ HF_HOME, HF_TOKEN: "hf_new", HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" })), undefined);
});

Deno.test("secondsOf() treats an invalid time as not set", () => {
  deepEqual(["3", "0.5", "0", "-1", "x", "", undefined].map((text) => secondsOf(text, 10)), [
    3,
    0.5,
    10,
    10,
    10,
    10,
    10,
  ]);
});
