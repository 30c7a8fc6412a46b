/**
 * The functions of `@std/path` this project uses, on top of `node:path`, for machines that cannot reach JSR. `links` in
 * deno.json replaces `jsr:@std/path` with this folder; without that entry the real package is used.
 *
 * @module
 */
export { basename, dirname, extname, fromFileUrl, isAbsolute, join, relative, resolve, toFileUrl } from "./_path.ts";
