/// <reference lib="dom" />
import { FIGURE_NAMES, type FigureName, figureOf, titleOf } from "../figures.ts";
import type { PageCell, PageData } from "../page_data.ts";
import { byId, element } from "./parts.ts";
import { type Key, rowOrder, searchFor } from "./row_order.ts";

/** Rows shown at first, as in the style: laying out thousands takes seconds. */
const AT_FIRST = 200;
/** Before a figure's name: sort by its change. */
const CHANGE = "change:";

/**
 * Makes the table of cells sortable and searchable: by its headings, and by the controls above it.
 *
 * @example
 * ```ts
 * import { startCells } from "./cells.ts";
 * import { readData } from "./parts.ts";
 *
 * const start = () => startCells(readData());
 * ```
 */
export function startCells({ cells, groups }: PageData): void {
  const table = byId("cells-table", HTMLTableElement);
  const body = table.tBodies[0]!;
  const rows = [...body.rows];
  const texts = rows.map((row) => row.textContent);
  const headings = [...table.tHead!.rows[0]!.cells];
  const keyOf = (heading: HTMLElement) => heading.dataset["key"]!;
  const search = byId("cells-search", HTMLInputElement);
  const group = byId("cells-group", HTMLSelectElement);
  const newest = byId("cells-newest", HTMLInputElement);
  const steady = byId("cells-steady", HTMLInputElement);
  const sort = byId("cells-sort", HTMLSelectElement);
  const direction = byId("cells-direction", HTMLButtonElement);
  const count = byId("cells-count", HTMLOutputElement);
  const more = byId("cells-more", HTMLButtonElement);
  let isDescending = false;
  let shown = [...rows.keys()];
  let isWhole = false;

  byId("cells-group-label", HTMLLabelElement).hidden = groups.length < 2;
  const hasHistory = cells.some((cell) => !cell.newest);
  newest.checked = hasHistory;
  newest.parentElement!.hidden = !hasHistory;
  steady.parentElement!.hidden = cells.every(({ marks }) => marks.length === 0);

  sort.append(
    new Option("as in the runs", ""),
    ...headings.map((heading) => new Option(titleOfHeading(heading), keyOf(heading))),
    ...FIGURE_NAMES.filter((name) => cells.some(({ changes }) => changes[name] !== undefined)).map((name) =>
      new Option(`${figureOf(name).title}, change`, CHANGE + name)
    ),
  );
  for (const heading of headings) {
    const button = element("button", "", ...heading.childNodes);
    button.type = "button";
    button.addEventListener("click", () => {
      isDescending = sort.value === keyOf(heading) && !isDescending;
      sort.value = keyOf(heading);
      order();
    });
    heading.replaceChildren(button);
  }
  sort.addEventListener("change", () => {
    isDescending = false;
    order();
  });
  direction.addEventListener("click", () => {
    isDescending = !isDescending;
    order();
  });
  for (const control of [search, group, newest, steady]) control.addEventListener("input", filter);
  byId("cells-controls", HTMLFormElement).addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => {
    isWhole = true;
    filter();
    // The button is gone: the focus stays near.
    table.closest<HTMLElement>(".scroll")!.focus();
  });
  order();
  table.classList.add("ready");

  function order(): void {
    const key = sort.value;
    const column = headings.findIndex((heading) => keyOf(heading) === key);
    const keys = cells.map((cell, row) => sortKey(cell, key, rows[row]!.cells[column]));
    const wanted = rowOrder(key === "" ? [...cells.keys()] : keys, isDescending);
    if (wanted.some((row, place) => row !== shown[place])) body.append(...wanted.map((row) => rows[row]!));
    shown = wanted;
    headings.forEach((heading, place) => {
      if (place === column) heading.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    });
    direction.textContent = isDescending ? "Largest first" : "Smallest first";
    filter();
  }

  function filter(): void {
    const isFound = searchFor(search.value);
    let found = 0;
    for (const index of shown) {
      const cell = cells[index]!;
      const isWanted = isFound(texts[index]!) && (group.value === "" || cell.group === Number(group.value)) &&
        (!newest.checked || cell.newest) && (!steady.checked || cell.marks.length === 0);
      if (isWanted) found++;
      rows[index]!.hidden = !isWanted || !isWhole && found > AT_FIRST;
    }
    more.hidden = isWhole || found <= AT_FIRST;
    more.textContent = `Show all ${found}`;
    count.textContent = more.hidden
      ? `${found} of ${rows.length} rows`
      : `the first ${AT_FIRST} of ${found} rows, ${rows.length} in all`;
  }
}

/** The heading's text, with its unit in parentheses. */
function titleOfHeading({ dataset, textContent }: HTMLElement): string {
  const key = dataset["key"]!;
  return isFigure(key) ? titleOf(key) : textContent;
}

const isFigure = (key: string): key is FigureName => (FIGURE_NAMES as string[]).includes(key);

function sortKey(cell: PageCell, key: string, place: HTMLTableCellElement | undefined): Key {
  if (key === "name") return cell.name;
  if (key.startsWith(CHANGE)) return cell.changes[key.slice(CHANGE.length) as FigureName]?.[0];
  if (isFigure(key)) return cell.figures[key];
  return place?.textContent || undefined;
}
