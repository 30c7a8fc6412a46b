/** The temporary folder of the full cache's logits: made, removed, and removed for a process that was killed. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import { ReferenceFiles } from "../../lib/run/reference_files.ts";
import { Reason } from "../../lib/util/reason.ts";
import { temporaryFolder } from "../model/_models.ts";

const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
/** Sets a folder's time back by an hour. */
const age = (folder: string) => Deno.utimeSync(folder, new Date(), new Date(Date.now() - 3_600_000));

async function create(dir: string): Promise<ReferenceFiles> {
  const files = await ReferenceFiles.create(dir);
  if (files instanceof Reason) throw new Error(files.text);
  return files;
}

Deno.test("a folder is made under its name, and removed with what is in it", async () => {
  using parent = temporaryFolder();
  {
    await using files = await create(parent.path);
    match(files.folder, /\/kvcompress_reference_\w+$/);
    equal(await files.problem(0, 12), "the full cache's logits of sample 0 were not written");
    Deno.writeFileSync(files.path(0), new Uint8Array(12));
    equal(await files.problem(0, 12), undefined);
    equal(await files.problem(0, 16), "the full cache's logits of sample 0 have 12 bytes instead of 16");
  }
  deepEqual(namesIn(parent.path), []);
});

Deno.test("folders of killed processes are removed; those in use, and of others, stay", async () => {
  using parent = temporaryFolder();
  const module = new URL("../../lib/run/reference_files.ts", import.meta.url).href;
  const script = join(parent.path, "script.ts");
  Deno.writeTextFileSync(
    script,
    `import { ReferenceFiles } from ${JSON.stringify(module)};
    const files = await ReferenceFiles.create(${JSON.stringify(parent.path)});
    Deno.writeFileSync(files.path(0), new Uint8Array(100));
    console.log(files.folder);
    setInterval(() => {}, 1000);`,
  );
  const start = async () => {
    const config = fromFileUrl(new URL("../../deno.json", import.meta.url));
    const args = ["run", "--frozen", "--config", config, "--allow-read", "--allow-write", script];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
    const reader = child.stdout.getReader();
    const folder = new TextDecoder().decode((await reader.read()).value).trim();
    const end = async () => {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    };
    return { folder, end };
  };
  const [killed, running] = [await start(), await start()];
  await killed.end();
  const other = join(parent.path, "another_folder"), half = join(parent.path, "kvcompress_reference_half");
  for (const folder of [other, half]) Deno.mkdirSync(folder);
  // Not yet: a new folder is not locked in the first moment.
  await (await create(parent.path))[Symbol.asyncDispose]();
  ok(namesIn(killed.folder).includes("sample_0.f32"));

  for (const folder of [killed.folder, running.folder, other, half]) age(folder);
  await (await create(parent.path))[Symbol.asyncDispose]();
  deepEqual(
    [...Deno.readDirSync(parent.path)].filter(({ isDirectory }) => isDirectory).map(({ name }) => name).sort(),
    [
      "another_folder",
      running.folder.split("/").at(-1)!,
    ],
  );
  equal(Deno.statSync(join(running.folder, "sample_0.f32")).size, 100);
  await running.end();
});

Deno.test("without a folder the reason is given", async () => {
  const none = await ReferenceFiles.create("/nowhere");
  ok(none instanceof Reason);
  match(none.text, /^there is no room for the full cache's logits: No such file or directory/);
});
