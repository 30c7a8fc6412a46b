import { printable } from "../util/printable.ts";
import { HubError } from "./errors.ts";

/** A repository of the hub at a revision. */
export interface HubRepo {
  /** Its id: `org/name`, or a bare name such as `gpt2`. */
  readonly repo: string;
  /** What kind of repository it is. */
  readonly type: "model" | "dataset";
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** A request for a {@linkcode HubRepo}: by default a model at `main`. */
export type AskedRepo = Pick<HubRepo, "repo"> & Partial<HubRepo>;

/**
 * The hub's rules: one or two parts of letters, digits, "-", "_" and ".", which neither begin nor end with "-" or ".".
 */
const REPO_ID = /^(?:\w(?:[\w.-]{0,94}\w)?\/)?\w(?:[\w.-]{0,94}\w)?$/;

/**
 * Whether a text has the form of a repository's id.
 *
 * @example
 * ```ts
 * import { isRepoId } from "./repo.ts";
 *
 * console.log(isRepoId("EleutherAI/pythia-70m"), isRepoId("gpt2"), isRepoId("./gpt2"), isRepoId("/models/gpt2"));
 * // true true false false
 * ```
 */
export function isRepoId(text: string): boolean {
  return REPO_ID.test(text) && !/--|\.\.|\.git$/.test(text);
}

/**
 * Fills in defaults and rejects invalid parts: none may lead out of the cache's folder.
 *
 * @throws {HubError} Naming the part that is wrong.
 */
export function repoOf({ repo, type = "model", revision = "main" }: AskedRepo): HubRepo {
  if (!isRepoId(repo)) {
    throw new HubError(
      "refused",
      `Cannot use ${
        JSON.stringify(printable(repo, 200))
      } as a ${type} of the hub: an id is org/name, or a bare name such as gpt2`,
    );
  }
  if (!isRelativePath(revision)) {
    throw new HubError(
      "refused",
      `Cannot use --revision ${JSON.stringify(printable(revision, 200))}: give a branch, a tag or a commit of ${repo}`,
    );
  }
  return { repo, type, revision };
}

/**
 * Whether a path with "/" stays below its folder and is safe to print: file names come from the network. It must not
 * have control characters of terminals, or characters that change the direction of text.
 */
export function isRelativePath(path: string): boolean {
  // deno-lint-ignore no-control-regex
  return !/[\\\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]|^[A-Za-z]:/.test(path) &&
    path.split("/").every((part) => !["", ".", ".."].includes(part));
}

/** Whether a revision is a full commit hash, which always names the same state. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** Returns the address of the repository's page, for messages. */
export function pageOf(endpoint: string, { repo, type }: HubRepo): string {
  return `${endpoint}/${type === "dataset" ? "datasets/" : ""}${repo}`;
}

/** Returns the address of the hub's list of a repository's files. */
export function listUrl(endpoint: string, { repo, type, revision }: HubRepo): string {
  return `${endpoint}/api/${type}s/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`;
}

/** Returns the address of a file on the hub, which may redirect. */
export function fileUrl(endpoint: string, repo: HubRepo, path: string): string {
  const name = path.split("/").map(encodeURIComponent).join("/");
  return `${pageOf(endpoint, repo)}/resolve/${encodeURIComponent(repo.revision)}/${name}`;
}
