import { printable } from "../../util/printable.ts";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Makes text safe in HTML, between tags and in quoted attributes.
 *
 * @example
 * ```ts
 * import { escapeHtml } from "./escape.ts";
 *
 * console.log(escapeHtml(`<b title="x">`)); // &lt;b title=&quot;x&quot;&gt;
 * ```
 */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign]!);
}

/** HTML that may go into a page as it is. */
export class Html {
  /** @param text Escaped where it has to be. */
  constructor(readonly text: string) {}
}

/** What a template takes: text, which is escaped; HTML and lists of it. */
export type Part = string | number | Html | readonly Html[] | undefined;

/**
 * Template of HTML: texts put into it are escaped, so that forgetting it is not possible. Its name is not the usual one,
 * by which formatters would put blanks into the page.
 *
 * @example
 * ```ts
 * import { markup } from "./escape.ts";
 *
 * console.log(markup`<ul>${["<a>", "b"].map((text) => markup`<li>${text}</li>`)}</ul>`.text);
 * // <ul><li>&lt;a&gt;</li><li>b</li></ul>
 * ```
 */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((text, string, place) => text + textOf(parts[place - 1]) + string));
}

function textOf(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.text;
  return typeof part === "object" ? part.map(({ text }) => text).join("") : escapeHtml(String(part));
}

/**
 * Makes a string of results.json fit to be shown: one line of limited length, control characters and marks that turn the
 * direction of writing as escapes. It still has to be escaped for HTML.
 *
 * @param text From a file.
 * @param max Most characters to keep.
 *
 * @example
 * ```ts
 * import { shown } from "./escape.ts";
 *
 * console.log(shown("a\u202eb\nc", 100)); // a\u202eb\nc, with the backslashes
 * ```
 */
export function shown(text: string, max = 200): string {
  return printable(text, max);
}

/**
 * Writes a value as JSON that cannot end the `<script>` that it is in, or open another.
 *
 * @example
 * ```ts
 * import { scriptJson } from "./escape.ts";
 *
 * console.log(scriptJson({ name: "</script>" })); // {"name":"\u003c/script>"}, with the backslash
 * ```
 */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Returns code for a `<script>`, unchanged. What would end the element, or make a browser read on to another end, is
 * refused: what stands for it in code depends on where it is.
 *
 * @param code JavaScript of this project or of a package.
 * @param name Its name, for the message.
 * @throws {Error} If the code cannot be in a page.
 *
 * @example
 * ```ts
 * import { scriptCode } from "./escape.ts";
 *
 * console.log(scriptCode("let a = 1 < 2;", "mine")); // let a = 1 < 2;
 * ```
 */
export function scriptCode(code: string, name: string): string {
  const found = /<(?:\/script|!--)/i.exec(code);
  if (found) throw new Error(`Cannot put ${name} into a page: it has ${found[0]} at character ${found.index}`);
  return code;
}
