import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "@std/path";
import { type Diagnosis, render } from "../../bench/tools/doctor.ts";
import { cudaLibraries } from "../../lib/cuda/libraries.ts";

const project = join(import.meta.dirname!, "..", "..");

async function doctor(args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-read",
      "--allow-env",
      "--allow-ffi",
      "--allow-sys=cpus,systemMemoryInfo,osRelease,homedir",
      "bench/tools/doctor.ts",
      ...args,
    ],
    cwd: project,
    env,
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** A machine with all required parts. */
const complete: Diagnosis = {
  host: {
    cpu: { model: "AMD EPYC 9554", cores: 16 },
    memory_bytes: 128 * 2 ** 30,
    os: "linux 6.8.0 x86_64",
    deno: "2.9.6",
    kvcompress: "0.1.0",
    git_commit: null,
  },
  onnxruntime: {
    path: "/opt/ort/libonnxruntime.so.1",
    source: "ORT_DIR",
    version: "1.29.0",
    providers: ["CUDAExecutionProvider", "CPUExecutionProvider"],
  },
  cuda_provider: { path: "/opt/ort/libonnxruntime_providers_cuda.so", cuda: 13 },
  gpus: [{
    name: "NVIDIA H100 80GB HBM3",
    index: 0,
    uuid: "GPU-1",
    driver: "580.95.05",
    cuda_driver: "13.0",
    memory_bytes: 80 * 2 ** 30,
    clocks_mhz: { sm: 345, memory: 2619, max_sm: 1980, max_memory: 2619 },
    now: { sm_mhz: 345, memory_mhz: 2619, power_mw: 71_400, temperature_c: 33, reasons: 1, other_processes: 1 },
  }],
  cuda_libraries: cudaLibraries(13).map((library) => ({ ...library, opened: `/cuda/${library.soname}`, failures: [] })),
  cuda_folders: ["/cuda"],
  canvas: { name: "skia-canvas" },
  model: { path: "/kvcompress/lib/assets/novel-neox-8m" },
  cpu: true,
  cuda: true,
};

Deno.test("doctor: render() of a machine with all required parts", () => {
  const text = render(complete);
  ok(!/missing|optional|Looked/.test(text), text);
  for (
    const part of [
      "1.29.0, by ORT_DIR",
      "H100",
      "580.95.05",
      "/cuda/libcudnn.so.9",
      "skia-canvas",
      "now 71 W, 33 °C, clocks held by gpu_idle, 1 process listed on it",
    ]
  ) {
    ok(text.includes(part), part);
  }
  equal(text.split("\n").at(-1), "--device cuda would work: NVIDIA H100 80GB HBM3");
});

Deno.test("doctor: render() is silent about what a GPU does not tell", () => {
  const now = Object.fromEntries(Object.keys(complete.gpus[0]!.now).map((figure) => [figure, null]));
  const text = render({ ...complete, gpus: [{ ...complete.gpus[0]!, now: now as never }] });
  ok(!/now |null/.test(text), text);
});

Deno.test("doctor: render() says what is missing and what to do", () => {
  const text = render({
    ...complete,
    gpus: [{ ...complete.gpus[0]!, driver: "550.54.15", cuda_driver: "12.4" }],
    cuda_libraries: complete.cuda_libraries.map((library) =>
      library.name === "cuRAND" ? { ...library, opened: null } : library
    ),
    cuda: false,
    cuda_problem: "Cannot use CUDA: cuRAND (libcurand.so.10) not found\nTo do: …",
  });
  match(text, /too old: the CUDA provider needs driver 580 or newer/);
  match(text, /missing {2}cuRAND +libcurand\.so\.10 +not found: pip install "nvidia-curand==10\.\*"/);
  match(text, /Looked for CUDA's libraries in what the loader knows and in:\n {2}\/cuda\n/);
  equal(
    text.split("\n").at(-1),
    "--device cuda would not work: Cannot use CUDA: cuRAND (libcurand.so.10) not found",
  );
});

Deno.test("doctor: a machine on which the CPU works ends with code 0", async () => {
  const { code, stdout, stderr } = await doctor(["--json"]);
  equal(code, 0, stderr);
  const found: Diagnosis = JSON.parse(stdout);
  equal(found.cpu, true);
  equal(found.cuda === false, found.cuda_problem !== undefined);
  ok(found.onnxruntime.providers!.includes("CPUExecutionProvider"));
  equal(found.canvas.problem, undefined);
  deepEqual(found.cuda_libraries.map(({ name }) => name), cudaLibraries().map(({ name }) => name));
});

Deno.test("doctor: an ORT_DIR without the library ends with code 1 and says so", async () => {
  const { code, stdout } = await doctor([], { ORT_DIR: "/no/such/folder" });
  equal(code, 1);
  match(stdout, /missing {2}ONNX Runtime +Cannot find ONNX Runtime in ORT_DIR=\/no\/such\/folder/);
  match(stdout, /--device cpu would not work/);
});

Deno.test("doctor: an unknown flag ends with code 2", async () => {
  const { code, stderr } = await doctor(["--verbose"]);
  equal(code, 2);
  match(stderr, /Cannot read --verbose/);
});
