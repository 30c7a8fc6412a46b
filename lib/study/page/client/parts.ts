/// <reference lib="dom" />
import type { PageData } from "../page_data.ts";

/**
 * Returns an element of the page.
 *
 * @param id Its id.
 * @param kind Its class, such as HTMLSelectElement.
 * @throws {Error} If the page has none: a mistake of the page.
 *
 * @example
 * ```ts
 * /// <reference lib="dom" />
 * import { byId } from "./parts.ts";
 *
 * const chosen = () => byId("group", HTMLSelectElement).value;
 * ```
 */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} #${id}`);
  return found;
}

/**
 * Reads the page's data.
 *
 * @example
 * ```ts
 * import { readData } from "./parts.ts";
 *
 * const count = () => readData().cells.length;
 * ```
 */
export function readData(): PageData {
  return JSON.parse(document.getElementById("data")!.textContent) as PageData;
}

/**
 * Makes an element with text. Text from results is never read as HTML.
 *
 * @example
 * ```ts
 * import { element } from "./parts.ts";
 *
 * const cell = (text: string) => element("td", text);
 * ```
 */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  text = "",
  ...children: readonly Node[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.textContent = text;
  made.append(...children);
  return made;
}
