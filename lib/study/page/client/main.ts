/// <reference lib="dom" />
/**
 * The page's own code: starts its parts. Everything it says is also in the page's text.
 *
 * @module
 */
import { startCells } from "./cells.ts";
import { startFrontier } from "./frontier.ts";
import { startHistory } from "./history.ts";
import { byId, element, readData } from "./parts.ts";
import { onTheme } from "./theme.ts";

/**
 * Starts the page.
 *
 * @example
 * ```ts
 * import { startPage } from "./main.ts";
 *
 * const start = () => startPage();
 * ```
 */
export function startPage(): void {
  const data = readData();
  // Before anything asks for sizes, so that the table is laid out once.
  startCells(data);
  const group = byId("group", HTMLSelectElement);
  const terms = byId("group-terms", HTMLParagraphElement);
  const needles = [...document.querySelectorAll<HTMLElement>(".needle")];
  const drawFrontier = startFrontier(data);
  const drawHistory = startHistory(data);
  group.append(...data.groups.map(({ label }, index) => new Option(label, String(index))));
  group.disabled = data.groups.length < 2;
  group.addEventListener("input", draw);
  onTheme(draw);
  draw();
  addEventListener("hashchange", unfold);
  unfold();

  function draw(): void {
    const chosen = Number(group.value);
    const used = [...new Set(data.cells.filter((cell) => cell.group === chosen).map((cell) => cell.terms))];
    const links = used.sort((a, b) => a - b).map((place) => {
      const link = element("a", `T${place + 1}`);
      link.href = `#t${place + 1}`;
      return link;
    });
    terms.textContent = `${data.groups[chosen]!.terms.join(" · ")}. In full: `;
    links.slice(0, 8).forEach((link, place) => terms.append(place === 0 ? "" : ", ", link));
    if (links.length > 8) terms.append(` and ${links.length - 8} more`);
    for (const needle of needles) needle.hidden = needle.dataset["group"] !== group.value;
    const none = document.getElementById("needles-none");
    if (none !== null) none.hidden = needles.some((needle) => !needle.hidden);
    drawFrontier(chosen);
    drawHistory(chosen);
  }

  /** Opens what a link leads to. */
  function unfold(): void {
    const target = document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  }
}

// Tests read this file where there is no page.
if (typeof document !== "undefined") startPage();
