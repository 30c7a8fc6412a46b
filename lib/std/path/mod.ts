/**
 * The functions of `@std/path` this project uses, on top of `node:path`, for machines that cannot reach JSR.
 * `links` in deno.json puts this folder in the place of `jsr:@std/path`; without that entry the real package is used.
 *
 * @module
 */
export { basename, dirname, extname, fromFileUrl, isAbsolute, join, relative, resolve, toFileUrl } from "./_path.ts";
