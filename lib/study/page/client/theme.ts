/// <reference lib="dom" />

/** Colours of what is not data, from the page's style. */
export interface Theme {
  isDark: boolean;
  text: string;
  muted: string;
  grid: string;
  page: string;
}

/** Class of the page while it is printed: paper is white. */
const PRINTING = "printing";

/**
 * Returns the colours that the page has now.
 *
 * @example
 * ```ts
 * import { currentTheme } from "./theme.ts";
 *
 * const ink = () => currentTheme().text;
 * ```
 */
export function currentTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string) => style.getPropertyValue(name).trim();
  return {
    isDark: value("--scheme") === "dark",
    text: value("--text"),
    muted: value("--muted"),
    grid: value("--grid"),
    page: value("--page"),
  };
}

/**
 * Calls back when the colours change: between light and dark, and for printing, where everything folded is opened, too.
 *
 * @param redraw Draws with {@linkcode currentTheme}, at once.
 *
 * @example
 * ```ts
 * import { onTheme } from "./theme.ts";
 *
 * const start = (redraw: () => void) => onTheme(redraw);
 * ```
 */
export function onTheme(redraw: () => void): void {
  for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", redraw);
  let opened: HTMLDetailsElement[] = [];
  addEventListener("beforeprint", () => {
    document.documentElement.classList.add(PRINTING);
    opened = [...document.querySelectorAll<HTMLDetailsElement>("details:not([open])")]
      .filter((folded) => folded.closest("[hidden], th") === null);
    for (const folded of opened) folded.open = true;
    redraw();
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove(PRINTING);
    for (const folded of opened) folded.open = false;
    redraw();
  });
}
