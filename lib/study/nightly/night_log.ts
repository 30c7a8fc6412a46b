import { Outlet } from "../../process/outlet.ts";
import { printableLines } from "../../util/printable.ts";

/**
 * A log: each line with its time, without colours.
 *
 * @example
 * ```ts
 * import { NightLog } from "./night_log.ts";
 *
 * const path = await Deno.makeTempFile();
 * {
 *   await using log = await NightLog.open(path, () => "2026-11-24T22:00:00+01:00");
 *   log.outlet.line("begins");
 * }
 * console.log(await Deno.readTextFile(path)); // "2026-11-24T22:00:00+01:00 begins\n"
 * await Deno.remove(path);
 * ```
 */
export class NightLog implements AsyncDisposable {
  /** Takes lines. */
  readonly outlet: Outlet;
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile, now: () => string, echo: boolean) {
    this.#file = file;
    const decoder = new TextDecoder(), encoder = new TextEncoder();
    let begun = "";
    this.outlet = new Outlet({
      write: async (bytes) => {
        const lines = (begun + decoder.decode(bytes, { stream: true })).split("\n");
        begun = lines.pop()!;
        const text = lines.map((line) => `${now()} ${printableLines(line)}\n`).join("");
        const file = encoder.encode(text);
        for (let at = 0; at < file.length;) at += await this.#file.write(file.subarray(at));
        if (echo) await Deno.stderr.write(file);
        return bytes.length;
      },
    });
  }

  /**
   * Opens a log, after what is in it.
   *
   * @param path Its file.
   * @param now Returns the time.
   * @param echo Whether to show the lines on standard error too.
   */
  static async open(path: string, now: () => string = localTime, echo = false): Promise<NightLog> {
    return new NightLog(await Deno.open(path, { append: true, create: true }), now, echo);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.outlet.flushed();
    this.#file.close();
  }
}

/** Local time with its distance from UTC, in seconds. */
function localTime(): string {
  return Temporal.Now.zonedDateTimeISO().toString({ smallestUnit: "second", timeZoneName: "never" });
}
