import { printable } from "../util/printable.ts";

/** Whether a connection could not be made, broke, or fell silent. For the first two, fetch throws a TypeError. */
export function isBroken(error: unknown): boolean {
  return error instanceof TypeError || isTimeout(error);
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}

/**
 * Returns why a connection broke, in a few words. Addresses are left out: they may hold a signature.
 *
 * @example
 * ```ts
 * import { reasonOf } from "./broken.ts";
 *
 * console.log(reasonOf(new TypeError("client error (Connect): refused by https://cdn.example/x?sig=1"))); // refused by …
 * ```
 */
export function reasonOf(error: unknown): string {
  if (isTimeout(error)) return "it does not answer";
  if (!(error instanceof Error)) return printable(String(error), 200);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  const words = error.message.replace(/^.*client error \(\w+\): /s, "").replaceAll(/\bhttps?:\/\/[^\s)]+/g, "…");
  return printable(words, 200);
}
