/** Sets environment variables until the end of the scope; children inherit them. */
export class Environment implements Disposable {
  readonly #before: Record<string, string | undefined> = {};

  /** @param changes Undefined removes a variable. */
  constructor(changes: Record<string, string | undefined>) {
    for (const [name, value] of Object.entries(changes)) {
      this.#before[name] = Deno.env.get(name);
      set(name, value);
    }
  }

  [Symbol.dispose](): void {
    for (const [name, value] of Object.entries(this.#before)) set(name, value);
  }
}

function set(name: string, value: string | undefined): void {
  if (value === undefined) Deno.env.delete(name);
  else Deno.env.set(name, value);
}

/** Returns the hub's variables for a test: a cache and an address, and none of the machine's settings. */
export function hubEnvironment(cache: string, endpoint: string): Record<string, string | undefined> {
  return {
    HF_HOME: cache,
    HF_HUB_CACHE: undefined,
    HUGGINGFACE_HUB_CACHE: undefined,
    HF_ENDPOINT: endpoint,
    HF_TOKEN: undefined,
    HF_TOKEN_PATH: undefined,
    HUGGING_FACE_HUB_TOKEN: undefined,
    HF_HUB_OFFLINE: undefined,
    TRANSFORMERS_OFFLINE: undefined,
  };
}
