import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const basename: (path: string, suffix?: string) => string = path.basename;
export const dirname: (path: string) => string = path.dirname;
export const extname: (path: string) => string = path.extname;
export const isAbsolute: (path: string) => boolean = path.isAbsolute;
export const join: (...paths: string[]) => string = path.join;
export const relative: (from: string, to: string) => string = path.relative;
export const resolve: (...paths: string[]) => string = path.resolve;

/** Returns the path of a `file:` URL. */
export function fromFileUrl(url: string | URL): string {
  return fileURLToPath(url);
}

/** Returns the `file:` URL of an absolute path. */
export function toFileUrl(path: string): URL {
  return pathToFileURL(path);
}
