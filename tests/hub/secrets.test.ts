/** Secrets are sent only to the host they belong to, and never shown; text from others is shown with escapes. */
import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import { HubCache } from "../../lib/hub/cache.ts";
import { HubClient } from "../../lib/hub/client.ts";
import { fetchFile } from "../../lib/hub/fetch_file.ts";
import { hubFile, hubList, hubModel } from "../../lib/hub/hub.ts";
import { hubBasic, hubSettings, hubToken } from "../../lib/hub/settings.ts";
import { bench, TemporaryFolder, tiny } from "../bench/_bench.ts";
import { Environment, hubEnvironment } from "./_environment.ts";
import { bytesOf, commitOf, HubServer, refused } from "./_hub_server.ts";

const A = commitOf("a");
const config = bytesOf("{}\n");
const weights = new Uint8Array(100_000).fill(7);
const files = { "config.json": config, "tokenizer.json": config, "model.safetensors": weights };
const newServer = () => new HubServer({ "org/name": { refs: { main: A }, commits: { [A]: files } } });
const SECRET = "s3cr3t-of-ada";
const withPassword = (endpoint: string) => endpoint.replace("http://", `http://ada:${SECRET}@`);
const envOf = (HF_ENDPOINT: string) => (name: string) => ({ HOME: "/home/ada", HF_ENDPOINT })[name];

Deno.test("hubSettings() leaves user name and password out of the address; hubBasic() has them", () => {
  const env = envOf(`https://ada:${SECRET}@mirror.example:8443/hub/`);
  equal(hubSettings(env).endpoint, "https://mirror.example:8443/hub");
  equal(atob(hubBasic(env)!), `ada:${SECRET}`);
  equal(atob(hubBasic(envOf("https://ada:a%40b%3Ac@mirror.example"))!), "ada:a@b:c");
  equal(atob(hubBasic(envOf("https://hf_token@mirror.example"))!), "hf_token:");
  equal(hubBasic(envOf("https://mirror.example")), undefined);
  equal(hubBasic(envOf("")), undefined);
});

for (
  const endpoint of [
    `ftp://ada:${SECRET}@mirror`,
    `ada:${SECRET}@mirror`,
    `https://ada:a/${SECRET}@mirror`,
    `https://ada:a@${SECRET}@mirror:x`,
    `https://ada:${SECRET}@mirror/?a=b`,
    `\n//ada:${SECRET}@`,
  ]
) {
  Deno.test(`hubSettings() refuses ${JSON.stringify(endpoint)} without its password`, () => {
    throws(() => hubSettings(envOf(endpoint)), (error) => {
      match((error as Error).message, /^Cannot use HF_ENDPOINT: found ".*", give an address such as/);
      ok(!(error as Error).message.includes(SECRET), (error as Error).message);
      return true;
    });
  });
}

Deno.test("a password in HF_ENDPOINT is sent to that address alone, and shown nowhere", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  using _env = new Environment({
    ...hubEnvironment(folder.path, withPassword(server.endpoint)),
    HF_TOKEN: "hf_token_of_ada",
  });
  const heard: string[] = [];
  const options = {
    onNote: (note: string) => void heard.push(note),
    onDownload: (event: unknown) => void heard.push(JSON.stringify(event)),
  };
  heard.push(JSON.stringify(await hubModel({ repo: "org/name" }, options)));
  const basic = `Basic ${btoa(`ada:${SECRET}`)}`;
  deepEqual([...new Set(server.seen.filter(({ host }) => host === "hub").map(({ token }) => token))], [basic]);
  deepEqual([...new Set(server.seen.filter(({ host }) => host === "cdn").map(({ token }) => token))], [null]);
  // Every kind of failure
  const answers: (() => Response)[] = [
    () => refused(401, "RepoNotFound"),
    () => refused(403, "GatedRepo"),
    () => refused(404, "RevisionNotFound"),
    () => new Response("<html>"),
    () => Response.json({}),
    () => new Response(null, { status: 429, headers: { "retry-after": "3600" } }),
    () => new Response(null, { status: 302, headers: { location: "file:///dev/zero" } }),
    () => new Response(null, { status: 302, headers: { location: "/x" } }),
  ];
  for (const answer of answers) {
    server.intercept = answer;
    for (
      const work of [
        () => hubList({ repo: "org/other" }, options),
        () => hubFile({ repo: "org/other", path: "a.json" }, options),
      ]
    ) {
      await rejects(work(), (error) => {
        ok(error instanceof Error && error.name === "InputError", String(error));
        heard.push(Deno.inspect(error));
        return true;
      });
    }
  }
  ok(heard.length > 16);
  for (const text of heard) ok(!text.includes(SECRET) && !text.includes("hf_token"), text);
});

Deno.test("no command line shows a password or a token, and a hub that is not there is named without", async () => {
  await using folder = new TemporaryFolder();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const { code, stdout, stderr } = await bench(["--model_id", "org/name", "--output", folder.path, ...tiny], {
    HF_HOME: folder.path,
    HF_ENDPOINT: `http://ada:${SECRET}@127.0.0.1:${port}`,
    HF_TOKEN: "hf_token_of_ada",
  });
  equal(code, 2, stderr);
  match(stderr, new RegExp(`Cannot reach http://127\\.0\\.0\\.1:${port} for org/name`));
  ok(!/s3cr3t|hf_token|\n\s+at /.test(stdout + stderr), stderr);
});

Deno.test("a token that no header can carry is named, not shown", () => {
  for (const HF_TOKEN of ["hf_☃secret", "hf_\x01secret", "hf_secret of ada", "hf_sécret"]) {
    throws(() => hubToken((name) => name === "HF_TOKEN" ? HF_TOKEN : undefined), (error) => {
      match((error as Error).message, /^Cannot use HF_TOKEN: it has characters that no token has/);
      ok(!(error as Error).message.includes("cret"));
      return true;
    });
  }
});

Deno.test("a token is not sent to where a redirect leads, nor back", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const { port } = new URL(server.endpoint);
  server.intercept = ({ host, method, path }) => {
    // Another name of the same server is another origin.
    if (method === "GET" && host === "hub" && !path.startsWith("/x/")) {
      return new Response(null, { status: 302, headers: { location: `http://ada:pw@localhost:${port}/x${path}` } });
    }
    return path.startsWith("/x/") ? new Response(config) : undefined;
  };
  const client = new HubClient({ endpoint: server.endpoint, token: "hf_secret" });
  const cache = new HubCache(folder.path, { repo: "org/name", type: "model", revision: "main" });
  const work = fetchFile(client, cache, "config.json");
  if (Deno.permissions.querySync({ name: "net", host: `localhost:${port}` }).state === "granted") {
    await work;
    deepEqual(server.seen.at(-1)!.token, null); // neither the token nor the redirect's own user
  } else await rejects(work, /Cannot download from localhost:\d+: .* redirects there, and only/);
});

Deno.test("what the hub says is shown as text: no control characters, and not at length", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  using _env = new Environment(hubEnvironment(folder.path, server.endpoint));
  const said = `\x9b31m\x85red ${"x".repeat(5000)}`;
  const answers: (() => Response)[] = [403, 401, 404, 400, 451].flatMap((status) =>
    ["GatedRepo", "Other"].map((code) => () => refused(status, code, { "x-error-message": said }))
  );
  answers.push(
    () => refused(404, "\x9b31mEntryNotFound"),
    () => new Response(null, { status: 302, headers: { location: `\x9b31m${"y".repeat(5000)}:x` } }),
    () => new Response(null, { headers: { etag: `\x9b31m${"z".repeat(5000)}`, "x-repo-commit": A } }),
    () => new Response(null, { headers: { etag: A, "x-repo-commit": A, "x-linked-size": `\x9b${"9".repeat(5000)}` } }),
  );
  for (const answer of answers) {
    server.intercept = answer;
    await rejects(hubFile({ repo: "org/name", path: "config.json" }), (error) => {
      const { message, name } = error as Error;
      equal(name, "InputError");
      // deno-lint-ignore no-control-regex
      ok(!/[\x00-\x1f\x7f-\x9f]/.test(message), JSON.stringify(message));
      ok(!/(.)\1{500}/.test(message) && message.length < 900, message);
      return true;
    });
  }
  const long = "n".repeat(5000);
  server.intercept = () => undefined;
  await rejects(hubFile({ repo: "org/name", path: long }), (error) => (error as Error).message.length < 900);
});
