/** `deno task kernels` as a user runs it. nvcc may be missing here: a script with its answers replaces it. */
import { equal, match } from "node:assert/strict";
import { join } from "@std/path";
import { NVCC_VERSION } from "../../lib/kernels/ptx_files.ts";
import { project, taskArguments } from "./_bench.ts";

const ptx = join(project, "lib/kernels/ptx");

function kernels(...args: string[]): { code: number; stdout: string; stderr: string } {
  const { code, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: [...taskArguments("kernels"), ...args],
    cwd: project,
    env: { NO_COLOR: "1" },
  }).outputSync();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Runs `f` with a program that acts as nvcc: it prints the PTX in git without its head, through `filter`. */
function withNvcc(version: string, filter: string, f: (nvcc: string) => void): void {
  const folder = Deno.makeTempDirSync(), nvcc = join(folder, "nvcc");
  try {
    Deno.writeTextFileSync(
      nvcc,
      `#!/bin/sh
[ "$1" = --version ] && echo "Cuda compilation tools, release ${version.split(".", 2).join(".")}, V${version}" && exit
for a; do case $a in
  -arch=compute_*) target=\${a#-arch=compute_} ;;
  */step.cu) unit=step ;; */rows.cu) unit=rows ;;
  -DTYPE=F16) type=float16 ;; -DTYPE=BF16) type=bfloat16 ;; -DTYPE=float) type=float32 ;;
esac; done
gzip -dc "${ptx}/$unit.$type.sm_$target.ptx.gz" | tail -n +2 | ${filter}
`,
    );
    Deno.chmodSync(nvcc, 0o755);
    f(nvcc);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const ignore = Deno.build.os === "windows";

Deno.test({
  name: "kernels --check ends with 0 if the compiler gives the PTX in git, with 1 if it gives other code",
  ignore,
  fn() {
    withNvcc(NVCC_VERSION, "cat", (nvcc) => {
      const { code, stdout, stderr } = kernels("--check", nvcc);
      equal(code, 0, stderr);
      equal(stdout.match(/ {2}same$/gm)?.length, 12);
    });
    withNvcc(NVCC_VERSION, "sed 's/^.target sm_90/& /'", (nvcc) => {
      const { code, stdout, stderr } = kernels("--check", nvcc);
      equal(code, 1, stderr);
      equal(stdout.match(/ {2}DIFFERENT from line \d+$/gm)?.length, 6);
      match(stderr, /^6 of the files in git differ from the compiled source/m);
    });
  },
});

Deno.test({
  name: "kernels takes the nvcc that made the PTX, another only when told to",
  ignore,
  fn() {
    withNvcc("12.8.93", "cat", (nvcc) => {
      const refused = kernels(nvcc);
      equal(refused.code, 2);
      equal(
        refused.stderr,
        `Cannot use this nvcc: ${nvcc} is 12.8.93, the PTX in git was made by ${NVCC_VERSION}; use that version, or allow this one with --any-nvcc\n`,
      );
      const taken = kernels("--check", "--any-nvcc", nvcc);
      equal(taken.code, 0, taken.stderr);
      match(taken.stderr, /^Warning: .* is 12\.8\.93/);
    });
  },
});

Deno.test("kernels --check without an nvcc says that it was skipped, and is no success", () => {
  const skipped = kernels("--check", "/nowhere/nvcc");
  equal(skipped.code, 3);
  match(skipped.stderr, /^SKIPPED, nothing was checked: \/nowhere\/nvcc was not found/);
  const missing = kernels("/nowhere/nvcc");
  equal(missing.code, 2);
  match(missing.stderr, /^Cannot compile: \/nowhere\/nvcc was not found: docs\/kernels\.md says how/);
  const flag = kernels("--chek");
  equal(flag.code, 2);
  equal(flag.stderr, "Cannot read --chek: the flags are --check, --any-nvcc and --help\n");
});

Deno.test("docs/kernels.md names the nvcc that is taken, and every file of the source", () => {
  const docs = Deno.readTextFileSync(join(project, "docs/kernels.md"));
  match(docs, new RegExp(`nvidia-cuda-nvcc==${NVCC_VERSION.replaceAll(".", "\\.")}\\b`));
  for (const { name } of Deno.readDirSync(join(project, "lib/kernels/cuda"))) match(docs, new RegExp(`\`${name}\``));
});
