import type { PageContent } from "../collect.ts";
import type { Term } from "../terms.ts";
import { type Html, markup } from "../escape.ts";

/**
 * Writes the terms of all runs, each once: rows name them T1, T2, ….
 *
 * @example
 * ```ts
 * import { termsList } from "./terms_list.ts";
 *
 * console.log(termsList([[["Model", "a"]]]).text.includes("<dt>Model</dt><dd>a</dd>")); // true
 * ```
 */
export function termsList(terms: PageContent["terms"]): Html {
  return markup`${terms.map(oneOf)}`;
}

function oneOf(terms: readonly Term[], place: number): Html {
  const by = new Map(terms);
  const title = [
    by.get("Model")?.split(",")[0],
    by.get("Device"),
    by.get("Number type"),
    by.has("Positions") ? `${by.get("Positions")} positions` : undefined,
    by.get("Text"),
    by.get("Lengths"),
    by.has("Commit") ? `commit ${by.get("Commit")!.slice(0, 10)}` : undefined,
  ].filter((part) => part !== undefined);
  const lines = terms.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`);
  return markup`<details class="terms" id="t${place + 1}"><summary>T${place + 1}: ${title.join(" · ")}</summary>
<dl>${lines}</dl></details>
`;
}
