/** A server on loopback that may write any bytes, including those that `Deno.serve` would not let through. */

/** A request as received. */
export interface RawRequest {
  readonly method: string;
  /** The path, decoded, without the query. */
  readonly path: string;
  /** Start of the range; undefined for a request without one. */
  readonly start: number | undefined;
  readonly authorization: string | undefined;
  /** Number of earlier requests with this method and path. */
  readonly before: number;
}

/** Writes an answer's bytes. Throws once the client is gone. */
export type Write = (bytes: Uint8Array | string) => Promise<void>;

/** Writes an answer; the connection is closed after it. */
export type Answer = (request: RawRequest, write: Write) => Promise<unknown>;

/** Encodes text with one byte per character, like headers. */
export const latin1 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** Returns an answer's first lines; a name may occur several times. */
export function head(status: number, headers: readonly (readonly [string, string])[]): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} X\r\nconnection: close\r\n${lines.join("")}\r\n`;
}

/** Answers requests, one per connection. */
export class RawServer implements AsyncDisposable {
  readonly seen: RawRequest[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.Conn>();
  readonly #work: Promise<unknown>[] = [];

  constructor(readonly answer: Answer) {
    this.#work.push(this.#listen());
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async #listen(): Promise<void> {
    try {
      for await (const connection of this.#listener) this.#work.push(this.#serve(connection));
    } catch {
      // The server was closed.
    }
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    this.#open.add(connection);
    try {
      let text = "";
      const piece = new Uint8Array(16_384);
      while (!text.includes("\r\n\r\n")) {
        const count = await connection.read(piece);
        if (count === null) return;
        text += String.fromCharCode(...piece.subarray(0, count));
      }
      const request = this.#request(text);
      this.seen.push(request);
      let isGone = false;
      void connection.read(piece).catch(() => null).then((count) => isGone ||= count === null);
      await this.answer(request, async (bytes) => {
        for (let rest = typeof bytes === "string" ? latin1(bytes) : bytes; rest.length > 0;) {
          rest = rest.subarray(await connection.write(rest));
        }
        if (isGone) throw new Error("gone");
      });
    } catch {
      // The client is gone.
    } finally {
      this.#open.delete(connection);
      try {
        connection.close();
      } catch {
        // It is closed.
      }
    }
  }

  #request(text: string): RawRequest {
    const [method = "", target = ""] = text.split(" ");
    const field = (name: string) => new RegExp(`^${name}: (.*?)\r$`, "im").exec(text)?.[1];
    const start = /^bytes=(\d+)-$/.exec(field("range") ?? "")?.[1];
    const path = decodeURIComponent(target.split("?")[0]!);
    return {
      method,
      path,
      start: start === undefined ? undefined : Number(start),
      authorization: field("authorization"),
      before: this.seen.filter((other) => other.method === method && other.path === path).length,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of [...this.#open]) {
      try {
        connection.close();
      } catch {
        // It is closed.
      }
    }
    await Promise.all(this.#work);
  }
}
