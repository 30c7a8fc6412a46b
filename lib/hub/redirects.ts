import { printable } from "../util/printable.ts";
import { HubError } from "./errors.ts";

/**
 * Where a redirect leads. Only `http:` and `https:` are followed, and what began with `https:` stays there: a hub may
 * name any address, `file:///dev/zero` included. A user name and a password in it are left out.
 *
 * @example
 * ```ts
 * import { redirectTarget } from "./redirects.ts";
 *
 * console.log(redirectTarget("/b", "https://huggingface.co/a", "https://huggingface.co")); // https://huggingface.co/b
 * ```
 *
 * @param location What the answer's Location says.
 * @param from The address that answered.
 * @param endpoint The hub, for the message.
 * @returns The address to ask next.
 * @throws {HubError} If it is none, or must not be followed.
 */
export function redirectTarget(location: string, from: string, endpoint: string): string {
  const target = URL.parse(location, from);
  const fail = (what: string) =>
    new HubError(
      "refused",
      `Cannot use ${endpoint}: it redirects to ${what}; is HF_ENDPOINT right, or a proxy between?`,
    );
  if (target === null) throw fail("what is no address");
  if (!/^https?:$/.test(target.protocol)) {
    throw fail(`an address that begins with ${printable(target.protocol, 20)}, and only http: and https: are followed`);
  }
  if (target.protocol === "http:" && new URL(from).protocol === "https:") {
    throw fail(`http://${printable(target.host, 100)}, which is not encrypted as https: is`);
  }
  target.username = target.password = "";
  return target.href;
}
