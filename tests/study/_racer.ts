/** A process that claims and stores in a sweep's folder: FOLDER claim COUNT | store COUNT | hold. */
import { join } from "@std/path";
import { Store } from "../../lib/study/store/store.ts";
import { inventResults } from "../report/_invent.ts";

const [folder, what, count = "0"] = Deno.args;
await using store = await Store.open(folder!);
const numbers = Array.from({ length: Number(count) }, (_, i) => i);

async function put(i: number): Promise<boolean> {
  const record = {
    key: `cell-${i}`,
    name: "a",
    terms: {},
    configuration: {},
    inputs: {},
    job: "j",
    host: "h",
    stored: "",
  };
  return await store.cells.store(store.staging, record, inventResults({ baseline: [{}], streaming_8: [{}] }));
}

if (what === "hold") {
  await store.claims.take("job");
  console.log("holding");
  setInterval(() => {}, 1000);
  await new Promise(() => {});
}
if (what === "store") { for (const i of numbers) if (await put(i)) console.log(`stored ${i}`); }
if (what === "claim") {
  for (const i of numbers.toSorted(() => Math.random() - 0.5)) {
    const { claim } = await store.claims.take(`job-${i}`);
    if (claim === undefined) continue;
    if (!await store.cells.isDone(`cell-${i}`)) {
      // Only one process at a time may hold the claim.
      const mark = join(folder!, "jobs", `mark-${i}`);
      await Deno.mkdir(join(folder!, "jobs"), { recursive: true });
      await Deno.mkdir(mark).catch(() => console.log(`together ${i}`));
      if (await put(i)) console.log(`stored ${i}`);
      await Deno.remove(mark).catch(() => {});
    }
    await claim[Symbol.asyncDispose]();
  }
}
