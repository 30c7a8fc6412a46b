/**
 * Replaces JSR's `@std/cli` where JSR cannot be reached: the part that this project uses, with the same names and
 * signatures. Remove its line from `links` in deno.json to use the real package.
 *
 * @module
 */
export * from "./parse_args.ts";
