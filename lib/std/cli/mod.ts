/**
 * Stands in for JSR's `@std/cli` where JSR cannot be reached: the part of it that this project uses, with the same
 * names and signatures. Taking its line out of `links` in deno.json brings the real one back.
 *
 * @module
 */
export * from "./parse_args.ts";
