import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { join } from "@std/path";
import { findOnnxRuntime } from "../../lib/ort/find.ts";
import { neededLibraries } from "../../lib/cuda/elf.ts";
import { cudaLibraries, findCudaLibraries } from "../../lib/cuda/libraries.ts";
import { missingLibraries } from "../../lib/cuda/preload.ts";
import { cudaSearchFolders } from "../../lib/cuda/search_folders.ts";
import { compileInto, hasGcc } from "./compile_stub.ts";

const linux = Deno.build.os === "linux" && Deno.build.arch === "x86_64";
const env = (vars: Record<string, string>) => (name: string) => vars[name];

/** A folder with empty files and links, given by path; a link's text is "-> target". */
function tree(files: Record<string, string>): string {
  const root = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "kvcompress_cuda_" }));
  for (const [path, text] of Object.entries(files)) {
    Deno.mkdirSync(join(root, path, ".."), { recursive: true });
    if (text.startsWith("-> ")) Deno.symlinkSync(text.slice(3), join(root, path));
    else Deno.writeTextFileSync(join(root, path), text);
  }
  return root;
}

Deno.test(
  "cudaSearchFolders() puts what the user named first, then Python, then the system",
  { ignore: !linux },
  () => {
    const root = tree({
      "usr/local/cuda/lib64/x": "",
      "usr/local/cuda-13.0/targets/x86_64-linux/lib/x": "",
      "usr/lib/wsl/lib/libcuda.so.1": "",
      "opt/conda/conda-meta/history": "",
      "opt/conda/lib/python3.12/site-packages/nvidia/cu13/lib/x": "",
      "venv/pyvenv.cfg": `home = /nowhere/bin\n`,
      "venv/lib/python3.11/site-packages/nvidia/cu13/lib/x": "",
      "venv/lib/python3.11/site-packages/nvidia/cudnn/lib/x": "",
    });
    const folders = cudaSearchFolders({
      root,
      env: env({
        CUDA_PATH: "/sw/cuda",
        LD_LIBRARY_PATH: "/ld/one::/ld/two",
        VIRTUAL_ENV: join(root, "venv"),
        PATH: "",
      }),
    }).map((folder) => folder.replace(root, ""));
    const order = [
      "/sw/cuda/lib64",
      "/ld/one",
      "/ld/two",
      "/venv/lib/python3.11/site-packages/nvidia/cudnn/lib",
      "/venv/lib/python3.11/site-packages/nvidia/cu13/lib",
      "/usr/local/cuda-13.0/targets/x86_64-linux/lib",
      "/usr/local/cuda/lib64",
      "/usr/lib64",
      "/opt/conda/lib/python3.12/site-packages/nvidia/cu13/lib",
      "/usr/lib/wsl/lib",
    ].map((folder) => folders.indexOf(folder));
    ok(order.every((at) => at >= 0), `${order} in ${folders}`);
    deepEqual(order, order.toSorted((a, b) => a - b));
  },
);

Deno.test("cudaSearchFolders() follows python3 on the PATH to the environment it is from", { ignore: !linux }, () => {
  const root = tree({
    // a virtual environment that was made from another installation
    "venv/bin/python3": "-> ../../base/bin/python3.11",
    "venv/lib/python3.11/site-packages/pip/x": "",
    "base/bin/python3.11": "",
    "base/lib/python3.11/site-packages/nvidia/cublas/lib/x": "",
    // pyenv's shims, which are scripts
    "pyenv/shims/python": "#!",
    "pyenv/versions/3.12.1/lib/python3.12/site-packages/nvidia/cu13/lib/x": "",
  });
  Deno.writeTextFileSync(join(root, "venv", "pyvenv.cfg"), `version = 3.11\nhome = ${root}/base/bin\n`);
  const folders = cudaSearchFolders({ root, env: env({ PATH: `${root}/venv/bin:${root}/pyenv/shims:relative` }) });
  ok(folders.includes(`${root}/venv/lib/python3.11/site-packages/nvidia/*/lib`));
  ok(folders.includes(`${root}/base/lib/python3.11/site-packages/nvidia/cublas/lib`));
  ok(folders.includes(`${root}/pyenv/versions/3.12.1/lib/python3.12/site-packages/nvidia/cu13/lib`));
  ok(folders.includes(`${root}/usr/local/cuda*/lib64`), "a usual place that does not exist is still named");
});

Deno.test("findCudaLibraries() takes a library from wherever it lies, and no dangling link", { ignore: !linux }, () => {
  const root = tree({
    "a/lib64/libcudart.so.13": "",
    "a/lib64/libcublas.so.13": "-> nowhere",
    "b/libcublas.so.13": "",
    "b/libcudart.so.13": "",
  });
  const { libraries } = findCudaLibraries(13, {
    root,
    env: env({ CUDA_PATH: join(root, "a"), CUDA_HOME: join(root, "b") }),
  });
  const candidates = (name: string) => libraries.find((library) => library.soname === name)!.candidates;
  deepEqual(candidates("libcudart.so.13"), [join(root, "a/lib64/libcudart.so.13"), join(root, "b/libcudart.so.13")]);
  deepEqual(candidates("libcublas.so.13"), [join(root, "b/libcublas.so.13")]);
});

Deno.test("cudaLibraries() has the sonames of CUDA 12 and 13", () => {
  const sonames = (major: 12 | 13) => cudaLibraries(major).map(({ soname }) => soname).join(" ");
  equal(
    sonames(13),
    "libcuda.so.1 libcudart.so.13 libcublasLt.so.13 libcublas.so.13 libcurand.so.10 libcufft.so.12 libcudnn.so.9",
  );
  equal(
    sonames(12),
    "libcuda.so.1 libcudart.so.12 libcublasLt.so.12 libcublas.so.12 libcurand.so.10 libcufft.so.11 libcudnn.so.9",
  );
});

Deno.test("missingLibraries() says which, what to do and where it looked", () => {
  const missing = cudaLibraries(13).filter(({ soname }) => /cublas/.test(soname))
    .map((library) => ({
      ...library,
      candidates: [],
      opened: null,
      failures: ["/a/libcublas.so.13: wrong ELF class"],
    }));
  const text = missingLibraries(missing, ["/a", "/b"], 13);
  match(text, /^Cannot use CUDA: cuBLASLt \(libcublasLt\.so\.13\), cuBLAS \(libcublas\.so\.13\) not found\n/);
  equal(text.match(/pip install/g)!.length, 1);
  match(text, /CUDA_PATH/);
  match(text, /wrong ELF class/);
  match(text, /\n {2}\/a\n {2}\/b$/);
});

Deno.test("neededLibraries() reads what a library needs", { ignore: !linux }, () => {
  ok(neededLibraries(findOnnxRuntime({ env: env({}) }).libraryPath).includes("libc.so.6"));
  const text = tree({ "short": "ELF", "long": "x".repeat(100) });
  throws(() => neededLibraries(join(text, "short")), SyntaxError);
  throws(() => neededLibraries(join(text, "long")), SyntaxError);
  throws(() => neededLibraries(join(text, "none")), Deno.errors.NotFound);
});

Deno.test("preloadCudaLibraries() makes libraries known to the loader by soname", { ignore: !hasGcc }, async () => {
  const folder = tree({ "bad/libcudart.so.13": "not a library" });
  const source = new URL("./stub_empty.c", import.meta.url);
  const sonames = cudaLibraries(13).filter(({ required }) => required).map(({ soname }) => soname);
  await Promise.all(
    sonames.map((soname) => compileInto(join(folder, soname), source, { NAME: soname.replaceAll(".", "_") })),
  );
  // In a process of its own: an opened library stays, and the stubs must not be in the way of real ones.
  const code = `
    import { preloadCudaLibraries } from ${JSON.stringify(new URL("../../lib/cuda/preload.ts", import.meta.url).href)};
    const opened = preloadCudaLibraries();
    const { symbols } = Deno.dlopen("libcublas.so.13", { libcublas_so_13: { parameters: [], result: "i32" } });
    console.log(JSON.stringify({ opened, answer: symbols.libcublas_so_13() }));`;
  const run = async (vars: Record<string, string>) => {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", code],
      env: { CUDA_HOME: "", LD_LIBRARY_PATH: "", VIRTUAL_ENV: "", CONDA_PREFIX: "", ...vars },
      cwd: join(import.meta.dirname!, "..", ".."),
    }).output();
    return { stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  };
  const { stdout, stderr } = await run({ CUDA_PATH: join(folder, "bad"), CUDA_HOME: folder });
  ok(stdout, stderr);
  const { opened, answer } = JSON.parse(stdout);
  equal(answer, 42);
  const cudart = opened.find(({ soname }: { soname: string }) => soname === "libcudart.so.13");
  equal(cudart.opened, join(folder, "libcudart.so.13"));
  match(cudart.failures[0], /bad\/libcudart\.so\.13/);
});
