import type { PageContent } from "../collect.ts";
import { type Html, html } from "../escape.ts";

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
  const of = (name: string, place: number) => terms[place]!.find(([term]) => term === name)?.[1] ?? "";
  return html`${
    terms.map((list, place) =>
      html`
        <details class="terms" id="t${place + 1}">
          <summary>T${place + 1}: ${[
            of("Model", place).split(",")[0]!,
            of("Device", place),
            of("Number type", place),
            of("Commit", place).slice(0, 10),
          ]
            .filter((part) => part !== "").join(" · ")}</summary>
          <dl>${list.map(([name, value]) =>
            html`
              <div>
                <dt>${name}</dt>
                <dd>${value}</dd>
              </div>
            `
          )}</dl>
        </details>
      `
    )
  }`;
}
