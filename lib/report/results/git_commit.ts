import { isAbsolute, join } from "@std/path";

/**
 * Reads the commit of a checkout from its files, so that no permission to run git is needed. Supports worktrees and
 * submodules (`.git` is a file there) and packed refs (gitrepository-layout(5)).
 *
 * Needs `--allow-read` for the folder, and for the repository's own folder if `.git` points elsewhere.
 *
 * @param folder The checkout's top folder. Folders above are not tried: their commit would be another project's.
 * @returns 40 or 64 hex digits; null outside a checkout, before the first commit and if it cannot be read.
 *
 * @example
 * ```ts
 * import { gitCommit } from "./git_commit.ts";
 *
 * console.log(gitCommit(Deno.cwd())); // "f3a15dd5…"
 * ```
 */
export function gitCommit(folder: string): string | null {
  const git = gitFolder(folder);
  if (git === null) return null;
  const head = read(join(git, "HEAD"));
  const ref = head === null ? undefined : /^ref: (refs\/.+)$/.exec(head)?.[1];
  if (ref === undefined) return commitIn(head);
  // A worktree has its own HEAD and shares the branches
  const common = read(join(git, "commondir"));
  const shared = common === null ? git : under(git, common);
  for (const place of [git, shared]) {
    const commit = commitIn(read(join(place, ref)));
    if (commit !== null) return commit;
  }
  const line = read(join(shared, "packed-refs"))?.split("\n").find((line) => line.endsWith(` ${ref}`));
  return line === undefined ? null : commitIn(line.split(" ")[0]!);
}

function gitFolder(folder: string): string | null {
  const path = join(folder, ".git");
  try {
    if (Deno.statSync(path).isDirectory) return path;
  } catch {
    return null;
  }
  const target = /^gitdir: (.+)$/.exec(read(path) ?? "")?.[1];
  return target === undefined ? null : under(folder, target);
}

function under(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

function commitIn(text: string | null): string | null {
  return text !== null && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text) ? text : null;
}

function read(path: string): string | null {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch {
    return null; // a file that does not exist, or that this process may not read
  }
}
