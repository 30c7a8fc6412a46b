import { join } from "@std/path";
import { InputError } from "../util/errors.ts";
import { printable } from "../util/printable.ts";

/** Settings of the hub from the environment. */
export interface HubSettings {
  /** The hub's address, without a final slash, user name or password. */
  readonly endpoint: string;
  /** The cache's folder, which holds folders such as `models--org--name`. */
  readonly cache: string;
  /** Whether to stay off the network. */
  readonly offline: boolean;
}

/** The hub's address if `HF_ENDPOINT` is not set. */
export const DEFAULT_ENDPOINT = "https://huggingface.co";

/** Variables that {@linkcode hubSettings} reads. A program needs permission for them. */
export const SETTINGS_ENV = [
  "HF_ENDPOINT",
  "HF_HOME",
  "HF_HUB_CACHE",
  "HF_HUB_OFFLINE",
  "HOME",
  "HUGGINGFACE_HUB_CACHE",
  "TRANSFORMERS_OFFLINE",
  "USERPROFILE",
  "XDG_CACHE_HOME",
] as const;

/** Variables that only the download process reads. */
export const DOWNLOAD_ENV = [
  "HF_HUB_DISABLE_IMPLICIT_TOKEN",
  "HF_HUB_DOWNLOAD_TIMEOUT",
  "HF_HUB_ETAG_TIMEOUT",
  "HF_TOKEN",
  "HF_TOKEN_PATH",
  "HUGGING_FACE_HUB_TOKEN",
] as const;

/** Reads an environment variable. */
export type ReadEnv = (name: string) => string | undefined;

/**
 * Reads the settings of the hub, from the same variables as Python's huggingface_hub. The cache is `HF_HUB_CACHE`, else
 * `HUGGINGFACE_HUB_CACHE`, else `hub` in `HF_HOME`, which is `huggingface` in `XDG_CACHE_HOME` or `~/.cache` if not
 * set.
 *
 * Needs the permission to read {@linkcode SETTINGS_ENV}.
 *
 * @example
 * ```ts
 * import { hubSettings } from "./settings.ts";
 *
 * const env: Record<string, string> = { HF_HOME: "/scratch/hf", HF_HUB_OFFLINE: "1" };
 * console.log(hubSettings((name) => env[name]));
 * // { endpoint: "https://huggingface.co", cache: "/scratch/hf/hub", offline: true }
 * ```
 *
 * @param env Reads a variable; `Deno.env.get` unless given.
 * @returns The settings.
 * @throws {InputError} If a variable may not be read or has an unusable value, or no home folder is known.
 */
export function hubSettings(env: ReadEnv = Deno.env.get): HubSettings {
  try {
    const offline = env("HF_HUB_OFFLINE") || env("TRANSFORMERS_OFFLINE");
    const cache = env("HF_HUB_CACHE") || env("HUGGINGFACE_HUB_CACHE");
    return {
      endpoint: endpointOf(env("HF_ENDPOINT")),
      cache: cache ? expand(cache, env) : join(hubHome(env), "hub"),
      offline: isTrue(offline),
    };
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new InputError(
      "Cannot look into the Hugging Face cache: its environment variables may not be read; " +
        `run with --allow-env=${SETTINGS_ENV.join(",")}`,
      { cause },
    );
  }
}

/**
 * Reads the user's token for the hub: `HF_TOKEN`, else what `hf auth login` wrote to `HF_TOKEN_PATH`, which is `token`
 * in `HF_HOME` if not set. Undefined if the user has no token.
 *
 * @example
 * ```ts
 * import { hubToken } from "./settings.ts";
 *
 * console.log(hubToken((name) => name === "HF_TOKEN" ? "hf_abc\n" : undefined)); // hf_abc
 * ```
 */
export function hubToken(env: ReadEnv = Deno.env.get): string | undefined {
  if (isTrue(env("HF_HUB_DISABLE_IMPLICIT_TOKEN"))) return undefined;
  const given = clean(env("HF_TOKEN") || env("HUGGING_FACE_HUB_TOKEN"));
  if (given !== undefined) return sendable(given, "HF_TOKEN");
  const path = env("HF_TOKEN_PATH");
  let saved: string | undefined;
  try {
    const file = path ? expand(path, env) : join(hubHome(env), "token");
    if (Deno.statSync(file).isFile) saved = clean(Deno.readTextFileSync(file));
  } catch {
    // Nobody has logged in here, or the token is another user's.
  }
  return saved && sendable(saved, "the token that `hf auth login` saved");
}

/**
 * Reads the user name and password in `HF_ENDPOINT`, which a mirror may require: `https://user:password@mirror`.
 * {@linkcode hubSettings} leaves them out of the address, so that no message shows them.
 *
 * @example
 * ```ts
 * import { hubBasic } from "./settings.ts";
 *
 * console.log(hubBasic((name) => name === "HF_ENDPOINT" ? "https://ada:secret@mirror.example" : undefined));
 * // YWRhOnNlY3JldA==
 * ```
 *
 * @returns "user:password" in base64; undefined if the address has neither.
 */
export function hubBasic(env: ReadEnv = Deno.env.get): string | undefined {
  const { username = "", password = "" } = URL.parse(env("HF_ENDPOINT") ?? "") ?? {};
  if (username === "" && password === "") return undefined;
  const bytes = new TextEncoder().encode(`${decoded(username)}:${decoded(password)}`);
  return btoa(String.fromCharCode(...bytes));
}

/** Decodes a part of an address; returns it unchanged if its percent signs are not escapes. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Reads a number of seconds from a variable; `fallback` if it is not set. */
export function secondsOf(value: string | undefined, fallback: number): number {
  const seconds = Number(value || fallback);
  return seconds > 0 ? seconds : fallback;
}

function endpointOf(value: string | undefined): string {
  if (!value) return DEFAULT_ENDPOINT;
  const url = URL.parse(value);
  if (url !== null && /^https?:$/.test(url.protocol) && url.search + url.hash === "") {
    return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
  }
  // The part up to the last "@" may hold a password.
  const shown = printable(value.replace(/^([a-z][\w+.-]*:\/\/)?.*@/is, "$1…@"), 200);
  throw new InputError(
    `Cannot use HF_ENDPOINT: found ${JSON.stringify(shown)}, give an address such as ${DEFAULT_ENDPOINT}`,
  );
}

function hubHome(env: ReadEnv): string {
  const home = env("HF_HOME");
  if (home) return expand(home, env);
  const cache = env("XDG_CACHE_HOME");
  return join(cache ? expand(cache, env) : join(userHome(env), ".cache"), "huggingface");
}

function userHome(env: ReadEnv): string {
  const home = env("HOME") || env("USERPROFILE");
  if (home) return home;
  throw new InputError("Cannot find the Hugging Face cache: neither HF_HOME nor HOME says where it is");
}

/**
 * Expands "~" and "$HOME" at the beginning: variables set in a batch file do not pass through a shell that expands
 * them.
 */
function expand(path: string, env: ReadEnv): string {
  return path.replace(/^(~|\$HOME|\$\{HOME\})(?=[/\\]|$)/, () => userHome(env));
}

function isTrue(value: string | undefined): boolean {
  return /^(1|on|yes|true)$/i.test(value ?? "");
}

function clean(token: string | undefined): string | undefined {
  return token?.replaceAll(/[\r\n]/g, "").trim() || undefined;
}

/** Checks that a header can carry a token. The token is a secret: the message shows no part of it. */
function sendable(token: string, source: string): string {
  if (/^[!-~]+$/.test(token)) return token;
  throw new InputError(`Cannot use ${source}: it has characters that no token has, such as spaces or accents`);
}
