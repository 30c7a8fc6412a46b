/** The package as a registry serves it: the files listed by `deno publish`, with imports rewritten in the same way. */
import { ok } from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import config from "../../deno.json" with { type: "json" };

const project = fromFileUrl(new URL("../..", import.meta.url));

/** What `deno publish` would send. */
export interface Published {
  /** Paths from the project's folder. */
  readonly files: ReadonlySet<string>;
  /** Its whole output. */
  readonly printed: string;
}

/** Asks `deno publish` for its list of files. This checks types too. */
export async function published(): Promise<Published> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--no-check", "--allow-slow-types"],
    cwd: project,
    env: { NO_COLOR: "1" },
  }).output();
  const printed = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  ok(success, printed);
  const lines = printed.matchAll(/^\s*(file:\/\/\S+) \(/gm);
  return { files: new Set([...lines].map(([, url]) => fromFileUrl(url!).slice(project.length))), printed };
}

/** A loopback server that serves only the published files. */
export class PackageServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  /** Requested paths that are not published. */
  readonly missing: string[] = [];
  /** Requested paths. */
  readonly asked: string[] = [];
  /** Files with other bytes than on disk, by path. */
  readonly changed = new Map<string, Uint8Array<ArrayBuffer>>();

  constructor(readonly files: ReadonlySet<string>) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#answer(request),
    );
  }

  /** Host and port. */
  get host(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  async #answer(request: Request): Promise<Response> {
    const path = decodeURIComponent(new URL(request.url).pathname).slice(1);
    this.asked.push(path);
    if (!this.files.has(path)) {
      this.missing.push(path);
      return new Response("Not found", { status: 404 });
    }
    const file = join(project, path);
    if (path.endsWith(".ts")) {
      const code = rewrite(await Deno.readTextFile(file), `http://${this.host}`);
      return new Response(code, { headers: { "content-type": "application/typescript" } });
    }
    const type = path.endsWith(".json") ? "application/json" : "application/octet-stream";
    return new Response(this.changed.get(path) ?? await Deno.readFile(file), { headers: { "content-type": type } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Not every machine can reach JSR, so std is imported from the package itself. */
function rewrite(code: string, origin: string): string {
  return code.replaceAll(
    /(\bfrom\s*|\bimport\s*\(?\s*|\bimport\.meta\.resolve\(\s*)"([@a-z][^":]*)"/g,
    (all, before: string, specifier: string) => {
      const [name] = /^(@[^/]+\/)?[^/]+/.exec(specifier)!;
      const target = (config.imports as Record<string, string>)[name];
      if (target === undefined) return all;
      const to = target.startsWith("jsr:@std/")
        ? `${origin}/lib/std/${name.slice("@std/".length)}/mod.ts`
        : target + specifier.slice(name.length);
      return `${before}"${to}"`;
    },
  );
}
