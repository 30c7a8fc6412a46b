/** A server on loopback that may write any bytes at all: what `Deno.serve` would not let through. */

/** A request as it came. */
export interface RawRequest {
  readonly method: string;
  /** The path, decoded, without what follows "?". */
  readonly path: string;
  /** Where a range begins; undefined where none was asked for. */
  readonly start: number | undefined;
  readonly authorization: string | undefined;
  /** How often this method and path were asked for before. */
  readonly before: number;
}

/** Where an answer's bytes go. Throws once whoever asked is gone. */
export type Write = (bytes: Uint8Array | string) => Promise<void>;

/** Writes an answer; the connection is closed after it. */
export type Answer = (request: RawRequest, write: Write) => Promise<unknown>;

/** Bytes of text as one byte a character, as headers are. */
export const latin1 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** An answer's first lines; a name may stand several times. */
export function head(status: number, headers: readonly (readonly [string, string])[]): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} X\r\nconnection: close\r\n${lines.join("")}\r\n`;
}

/** Answers requests, one a connection. */
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
      // It was closed.
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
      // Whoever asked is gone.
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
