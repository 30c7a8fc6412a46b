import { printable } from "../util/printable.ts";
import { HubError } from "./errors.ts";
import { type HubRepo, isCommit, pageOf } from "./repo.ts";

/** The subject of a request. */
export interface Asked {
  readonly endpoint: string;
  readonly repo: HubRepo;
  /** The file; undefined if the request was for the repository itself. */
  readonly path?: string | undefined;
  /** Whether a token was sent. */
  readonly withToken: boolean;
}

const LOG_IN = "log in with `hf auth login` or set HF_TOKEN";

/**
 * Returns the error for a failed response of the hub, by its status and X-Error-Code. It uses the words of Python's
 * huggingface_hub and says what would do.
 *
 * @example
 * ```ts
 * import { httpError } from "./http_errors.ts";
 *
 * const response = new Response(null, { status: 404, headers: { "x-error-code": "RevisionNotFound" } });
 * const repo = { repo: "org/name", type: "model", revision: "v2" } as const;
 * console.log(httpError(response, { endpoint: "https://huggingface.co", repo, withToken: false }).message);
 * // Cannot find revision v2 of model org/name: Revision Not Found (404); …
 * ```
 *
 * @param response A response whose status is not a success.
 * @param asked The subject of the request.
 * @returns The error to throw.
 */
export function httpError({ status, headers }: Response, { endpoint, repo, path, withToken }: Asked): HubError {
  const code = headers.get("x-error-code");
  const commit = headers.get("x-repo-commit") ?? "";
  const said = printable(headers.get("x-error-message")?.replaceAll(/\s+/g, " ").replace(/\.$/, "") ?? "", 200);
  const page = pageOf(endpoint, repo);
  const name = `${repo.type} ${repo.repo}`;
  const file = path === undefined ? undefined : printable(path, 200);
  const what = file === undefined ? name : `${file} of ${name}`;

  if (code === "GatedRepo") {
    const then = withToken ? "with the account whose token is used" : `and ${LOG_IN}`;
    return new HubError(
      "refused",
      `Cannot access gated repo ${repo.repo} (${status}${
        said ? `: ${said}` : ""
      }): accept its conditions at ${page} ${then}`,
    );
  }
  if (said === "Invalid credentials in Authorization header") {
    return new HubError(
      "refused",
      `Cannot get ${what}: the hub does not know the token (${status}: ${said}); ${LOG_IN} to another one, or unset it`,
    );
  }
  if (said === "Access to this resource is disabled") {
    return new HubError("refused", `Cannot get ${what}: ${said} by the hub (${status}); see ${page}`);
  }
  if (code === "RevisionNotFound") {
    return new HubError(
      "refused",
      `Cannot find revision ${repo.revision} of ${name}: Revision Not Found (${status}); its branches, tags and commits are listed at ${page}/tree/main`,
    );
  }
  if (code === "EntryNotFound" || status === 404 && path !== undefined && code === null) {
    return new HubError(
      "missing",
      `Cannot find ${
        file ?? "the files"
      } in ${name} at ${repo.revision}: Entry Not Found (${status}); its files are listed at ${page}/tree/${repo.revision}`,
      isCommit(commit) ? { commit } : {},
    );
  }
  if (code === "RepoNotFound" || status === 401 || status === 404) {
    const then = withToken ? "make sure that the token's account may read it" : LOG_IN;
    return new HubError(
      "refused",
      `Cannot find ${name} at ${endpoint}: Repository Not Found (${status}); make sure that the id is right, and if it is private or gated, ${then}`,
    );
  }
  if (status === 403) {
    return new HubError(
      "refused",
      `Cannot get ${what}: Forbidden (403${
        said ? `: ${said}` : ""
      }); make sure that the token has the right permissions`,
    );
  }
  return new HubError(
    isPassing(status) ? "unreachable" : "refused",
    `Cannot get ${what}: ${endpoint} answered ${status}${said ? ` (${said})` : ""}${
      isPassing(status) ? ", several times; try again later" : ""
    }`,
  );
}

/** Whether a status is temporary, so that another try may succeed. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/**
 * Returns how many seconds a response asks to wait: from Retry-After, in seconds or as a date, or from `t` of the hub's
 * RateLimit header. Undefined if it does not say.
 *
 * @example
 * ```ts
 * import { retryAfter } from "./http_errors.ts";
 *
 * console.log(retryAfter(new Headers({ "retry-after": "3" })), retryAfter(new Headers({ ratelimit: '"api";r=0;t=55' }))); // 3 55
 * ```
 *
 * @param headers Headers of the response.
 * @param now The time, ms since 1970.
 */
export function retryAfter(headers: Headers, now: number = Date.now()): number | undefined {
  const after = headers.get("retry-after");
  if (after !== null && /^\d+$/.test(after.trim())) return Number(after);
  const date = Date.parse(after ?? "");
  if (!Number.isNaN(date)) return Math.max(0, (date - now) / 1000);
  const [, seconds] = /;\s*t=(\d+)/.exec(headers.get("ratelimit") ?? "") ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}
