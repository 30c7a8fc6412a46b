/**
 * Run with --expose-gc: binds many sessions' inputs and outputs to memory of all sizes, collects garbage between the
 * runs, and checks the results. Some of it is dropped rather than disposed of.
 */
import { equal, ok } from "node:assert/strict";
import { Binding } from "../../lib/ort/binding.ts";
import { Handle } from "../../lib/ort/_handle.ts";
import { Session } from "../../lib/ort/session.ts";
import { Value } from "../../lib/ort/value.ts";
import { addOne, device, ort } from "./_runtime.ts";

const { gc } = globalThis as unknown as { gc: () => void };

/** A session whose only holder is the binding. */
function bind(length: number) {
  const memory = device.allocate(4 * length);
  const session = new Session(ort, device, addOne(), { threads: 1 });
  const value = Value.of(ort, device, memory, "float32", [length]);
  return { memory, length, binding: new Binding(session, { x: value }, { y: value }) };
}

const bound = [1, 2, 3, 15, 16, 17, 1000, 100_000].map(bind);
for (let run = 1; run <= 20; run++) {
  for (const { binding } of bound) binding.run();
  bind(run).binding.run(); // dropped at once
  const litter = Array.from({ length: 200 }, (_, i) => new Float32Array(i).fill(NaN));
  gc();
  ok(litter.length > 0);
  // Finalizers run between turns.
  await new Promise((resolve) => setTimeout(resolve));
  for (const { memory, length } of bound) {
    const numbers = new Float32Array(length);
    device.read(memory, 0, numbers);
    ok(numbers.every((number) => number === run), `run ${run}, ${length} numbers`);
  }
}

let released = 0;
(() => void new Handle("a test", Deno.UnsafePointer.create(8n)!, () => released++))();
{
  using _handle = new Handle("a test", Deno.UnsafePointer.create(8n)!, () => released++);
}
for (let i = 0; i < 10 && released < 2; i++) {
  gc();
  await new Promise((resolve) => setTimeout(resolve));
}
equal(released, 2, "one dropped, one disposed of");
console.log("ok");
