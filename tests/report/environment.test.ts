import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { join } from "@std/path";
import { describeEnvironment, hostEnvironment } from "../../lib/report/results/environment.ts";
import { gitCommit } from "../../lib/report/results/git_commit.ts";
import { sha256OfFile, sha256OfFiles } from "../../lib/util/sha256.ts";

const A = "a".repeat(40), B = "b".repeat(40), C = "c".repeat(64);

function tree(files: Record<string, string>): string {
  const root = Deno.makeTempDirSync({ prefix: "kvcompress_env_" });
  for (const [path, text] of Object.entries(files)) {
    Deno.mkdirSync(join(root, path, ".."), { recursive: true });
    Deno.writeTextFileSync(join(root, path), text);
  }
  return root;
}

Deno.test("hostEnvironment() describes this machine", () => {
  const host = hostEnvironment();
  ok(host.cpu.model.length > 0);
  ok(host.cpu.cores >= 1);
  ok(host.memory_bytes > 2 ** 28);
  match(host.os, /^(linux|darwin|windows) \S+ (x86_64|aarch64)$/);
  equal(host.deno, Deno.version.deno);
  match(host.kvcompress, /^\d+\.\d+\.\d+/);
  equal(host.git_commit, gitCommit(join(import.meta.dirname!, "..", "..")));
});

Deno.test("describeEnvironment() joins what the processes know", () => {
  const measured = {
    gpu: null,
    onnxruntime: "1.29.0",
    onnxruntime_path: "/opt/ort/libonnxruntime.so.1",
    providers: ["CPUExecutionProvider"],
    model_sha256: { "config.json": A },
    text_sha256: B,
  };
  deepEqual(describeEnvironment(measured), { ...hostEnvironment(), ...measured });
});

Deno.test("gitCommit() reads a branch, a packed branch and a detached HEAD", () => {
  const ref = { ".git/HEAD": "ref: refs/heads/feature/x\n" };
  equal(gitCommit(tree({ ...ref, ".git/refs/heads/feature/x": `${A}\n` })), A);
  const packed = `# pack-refs with: peeled fully-peeled sorted\n${B} refs/heads/x\n${A} refs/heads/feature/x\n^${B}\n`;
  equal(gitCommit(tree({ ...ref, ".git/packed-refs": packed })), A);
  // A branch that moved on after it was packed
  equal(gitCommit(tree({ ...ref, ".git/packed-refs": packed, ".git/refs/heads/feature/x": B })), B);
  equal(gitCommit(tree({ ".git/HEAD": `${C}\n` })), C); // a repository of SHA-256 names
});

Deno.test("gitCommit() follows a worktree to the repository", () => {
  const main = tree({
    ".git/HEAD": "ref: refs/heads/main",
    ".git/refs/heads/main": A,
    ".git/refs/heads/topic": B,
    ".git/worktrees/w/HEAD": "ref: refs/heads/topic",
    ".git/worktrees/w/commondir": "../..",
  });
  equal(gitCommit(tree({ ".git": `gitdir: ${join(main, ".git/worktrees/w")}\n` })), B);
  // A submodule's is relative
  const outer = tree({ "sub/.git": "gitdir: ../.git/modules/sub", ".git/modules/sub/HEAD": A });
  equal(gitCommit(join(outer, "sub")), A);
});

Deno.test("gitCommit() is null where there is no commit to read", () => {
  const outer = tree({ ".git/HEAD": A, "inner/readme": "" });
  equal(gitCommit(join(outer, "inner")), null);
  equal(gitCommit(tree({ ".git/HEAD": "ref: refs/heads/main" })), null); // nothing committed yet
  equal(gitCommit(tree({ ".git": "gitdir: /no/such/place" })), null);
  equal(gitCommit(tree({ ".git/HEAD": "rubbish" })), null);
});

Deno.test("sha256OfFile() is SHA-256, over several pieces too", async () => {
  const text = "Call me Ishmael. ".repeat(100_000); // 1.7 MB
  const folder = tree({ a: "abc", b: text });
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  deepEqual(await sha256OfFiles(folder, ["b", "a"]), {
    b: new Uint8Array(digest).toHex(),
    a: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", // FIPS 180-2, B.1
  });
  await rejects(sha256OfFile(join(folder, "none")), Deno.errors.NotFound);
});
