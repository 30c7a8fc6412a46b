import { fromFileUrl } from "@std/path";

/**
 * The program that starts a child: this Deno. Where it was installed through npm, `deno` on the PATH is a launcher, and
 * `--allow-run=deno` allows the launcher, not the program behind it.
 */
export function denoProgram(): string {
  const command = Deno.execPath();
  return Deno.permissions.querySync({ name: "run", command }).state === "granted" ? command : "deno";
}

/** In a checkout: its deno.json, and nothing from the network. */
export function projectFlags(): string[] {
  const config = new URL("../deno.json", import.meta.url);
  if (config.protocol !== "file:" || !mayExist(config)) return [];
  return [`--config=${fromFileUrl(config)}`, "--cached-only"];
}

/** Whether a file is there, as far as this process may know. */
export function mayExist(url: URL): boolean {
  try {
    Deno.statSync(url);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}
