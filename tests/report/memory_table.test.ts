import assert from "node:assert/strict";
import { formatMemory } from "../../lib/report/tables/memory_table.ts";
import type { PhaseMemory } from "../../lib/report/results/memory_types.ts";
import { inventResults } from "./_invent.ts";

const MIB = 2 ** 20;

const memory = (kv: number, peak: number) => ({
  memory: {
    weights: 5200 * MIB,
    kv_held: kv,
    kv_allocated: 2 * kv,
    allocator_peak: peak,
    process_peak: peak + 100 * MIB,
    process_before: 400 * MIB,
  },
});

const RUN = {
  baseline: [memory(600 * MIB, 6000 * MIB), memory(640 * MIB, 6200 * MIB)],
  "streaming_256@cache": [memory(0.5 * MIB, 5300 * MIB)],
  h2o_l2_512: `Out of memory:\n  4.2 GB asked for ${"again ".repeat(40)}`,
  snapkv_512_obs32: "",
};

Deno.test("formatMemory() averages over the samples, in units that fit", () => {
  const lines = formatMemory(inventResults(RUN)).split("\n");
  assert.deepEqual(lines.slice(0, 4), [
    "Memory                     Weights       KV held  KV allocated  Allocator peak  Process peak   Before load",
    "-".repeat(106),
    "baseline                  5.08 GiB    620.00 MiB      1.21 GiB        5.96 GiB      6.05 GiB    400.00 MiB",
    "streaming_256@cache       5.08 GiB      0.50 MiB      1.00 MiB        5.18 GiB      5.27 GiB    400.00 MiB",
  ]);
  assert.match(lines[4]!, /^h2o_l2_512 {14}failed: Out of memory: 4\.2 GB asked for .*…$/);
  assert.equal(lines[4]!.length, 106);
  assert.equal(lines[5], "snapkv_512_obs32        not run");
  assert.equal(lines[6], "=".repeat(106));
});

const onCpu = { memory: { ...memory(MIB, 5300 * MIB).memory, process_peak: null, process_before: null } };

Deno.test("formatMemory() has no figures of a GPU on a machine without one", () => {
  const [, , row] = formatMemory(inventResults({ baseline: [onCpu] }, { device: "cpu" })).split("\n");
  assert.equal(row!.replaceAll(/\s+/g, " "), "baseline 5.08 GiB 1.00 MiB 2.00 MiB 5.18 GiB - -");
});

const phase = (kv: number, peak: number, process: number | null): PhaseMemory => ({
  kv_held: { peak: 2 * kv, end: kv },
  kv_allocated: { peak: 3 * kv, end: 2 * kv },
  ...(kv > 0 ? { weights: 5300 * MIB } : {}), // earlier results have no such field
  allocator: { peak, end: 5200 * MIB },
  allocator_reserved: 5400 * MIB,
  buffers: 2 * kv + 0.5 * MIB,
  process: { peak: process, end: process },
  host_rss: 900 * MIB,
});

Deno.test("formatMemory() tells phases apart, a line for each, where results have them", () => {
  const phases = (process: number | null) => ({
    load: phase(0, 5200 * MIB, process),
    prefill: phase(300 * MIB, 5350 * MIB, process),
    decode: phase(20 * MIB, 5210 * MIB, process),
  });
  const text = formatMemory(inventResults({
    baseline: [
      { memory: { ...onCpu.memory, phases: phases(5800 * MIB) } },
      { memory: { ...onCpu.memory, phases: phases(6000 * MIB) } },
    ],
    h2o_l2_512: [{ memory: { ...onCpu.memory, phases: phases(null) } }],
    snapkv_512_obs32: "Out of memory",
  }));
  assert.deepEqual(text.split("\n\n")[1]!.split("\n"), [
    "Memory by phase, MiB                     KV held      KV allocated  Weights        ORT in use      ORT  Buffers           Process     Host",
    "                                   peak      end     peak      end    block     peak      end reserved      end     peak      end      RSS",
    "-".repeat(138),
    "baseline              load          0.0      0.0      0.0      0.0        -   5200.0   5200.0   5400.0      0.5   5900.0   5900.0    900.0",
    "                      prefill     600.0    300.0    900.0    600.0   5300.0   5350.0   5200.0   5400.0    600.5   5900.0   5900.0    900.0",
    "                      decode       40.0     20.0     60.0     40.0   5300.0   5210.0   5200.0   5400.0     40.5   5900.0   5900.0    900.0",
    "h2o_l2_512            load          0.0      0.0      0.0      0.0        -   5200.0   5200.0   5400.0      0.5        -        -    900.0",
    "                      prefill     600.0    300.0    900.0    600.0   5300.0   5350.0   5200.0   5400.0    600.5        -        -    900.0",
    "                      decode       40.0     20.0     60.0     40.0   5300.0   5210.0   5200.0   5400.0     40.5        -        -    900.0",
    "=".repeat(138),
  ]);
});

Deno.test("formatMemory() keeps the columns under their titles next to a long name", () => {
  const name = "fix1024_keep_high_kr=0.5@absolute";
  const lines = formatMemory(inventResults({ baseline: [{}], [name]: [{}] })).split("\n");
  assert.ok(lines[3]!.startsWith(`${name}    0.00 MiB`));
  assert.equal(new Set(lines.map(({ length }) => length)).size, 1);
});
