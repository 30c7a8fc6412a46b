import { equal, rejects, throws } from "node:assert/strict";
import { dirname, join } from "@std/path";
import { cudaMajorOf, isOfVersion } from "../../lib/cuda/provider.ts";
import { compileStub, hasGcc } from "./compile_stub.ts";

Deno.test("cudaMajorOf() reads it off the libraries a provider needs", { ignore: !hasGcc }, async () => {
  const source = new URL("./stub_empty.c", import.meta.url);
  for (
    const [cudart, major] of [["libcudart.so.13", 13], ["libcudart.so.12", 12], ["libcudart.so.11", null]] as const
  ) {
    const needed = await compileStub(source, cudart, { NAME: "cudart" });
    const provider = join(dirname(needed), "provider.so");
    const { success } = await new Deno.Command("gcc", {
      args: ["-shared", "-fPIC", "-Wl,--no-as-needed", "-o", provider, "-x", "c", "/dev/null", "-x", "none", needed],
    }).output();
    equal(success, true);
    equal(cudaMajorOf(provider), major);
  }
});

Deno.test("cudaMajorOf() is null for what is no Linux library", () => {
  const file = Deno.makeTempFileSync();
  Deno.writeTextFileSync(file, "MZ".padEnd(100));
  equal(cudaMajorOf(file), null);
  throws(() => cudaMajorOf(file + ".none"), Deno.errors.NotFound);
});

Deno.test("isOfVersion() finds the string as a whole, wherever it lies", async () => {
  const file = Deno.makeTempFileSync();
  const found = async (text: string, version = "1.29.0") => {
    Deno.writeTextFileSync(file, text);
    return await isOfVersion(file, version);
  };
  equal(await found("abc\0" + "1.29.0\0"), true);
  equal(await found("abc\0" + "1.29.01\0"), false);
  equal(await found("abc 1.29.0\0"), false);
  equal(await found(""), false);
  const edge = 1 << 22; // pieces are of this size: across the edge between two
  for (const shift of [-9, -8, -4, -1, 0, 1]) {
    equal(await found("x".repeat(edge + shift) + "\0" + "1.29.0\0" + "x".repeat(100)), true, `${shift}`);
  }
  await rejects(isOfVersion(file + ".none", "1.29.0"), Deno.errors.NotFound);
});
