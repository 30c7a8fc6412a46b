import { printable } from "../util/printable.ts";
import { HubError } from "./errors.ts";

/**
 * Returns the target of a redirect. Only `http:` and `https:` are followed, and `https:` never leads to `http:`: a hub
 * may name any address, `file:///dev/zero` included. A user name and a password in the address are removed.
 *
 * @example
 * ```ts
 * import { redirectTarget } from "./redirects.ts";
 *
 * console.log(redirectTarget("/b", "https://huggingface.co/a", "https://huggingface.co")); // https://huggingface.co/b
 * ```
 *
 * @param location The response's Location header.
 * @param from The address that redirects.
 * @param endpoint The hub, for the message.
 * @returns The address to request next.
 * @throws {HubError} If it is not an address, or must not be followed.
 */
export function redirectTarget(location: string, from: string, endpoint: string): string {
  const target = URL.parse(location, from);
  const fail = (what: string) =>
    new HubError(
      "refused",
      `Cannot use ${endpoint}: it redirects to ${what}; is HF_ENDPOINT right, or a proxy between?`,
    );
  if (target === null) throw fail("something that is not an address");
  if (!/^https?:$/.test(target.protocol)) {
    throw fail(`an address that begins with ${printable(target.protocol, 20)}, but only http: and https: are followed`);
  }
  if (target.protocol === "http:" && new URL(from).protocol === "https:") {
    throw fail(`http://${printable(target.host, 100)}, which is not encrypted, unlike https:`);
  }
  target.username = target.password = "";
  return target.href;
}
