// Deno installs a package only if a module of it is imported.
import { Chart } from "chart.js";
import { createHash } from "node:crypto";
import { fromFileUrl } from "@std/path";
import { clientCode } from "./client_code.ts";
import type { PageContent } from "./collect.ts";
import { scriptCode, scriptJson } from "./escape.ts";
import { cardLabels, cellColumns } from "./html/cells_table.ts";
import { heatRules } from "./html/needle_tables.ts";
import { pageText } from "./html/page_text.ts";

/**
 * Makes the page: one HTML file with its style, its code, Chart.js and its data. It fetches nothing, and its policy
 * forbids it to: only the scripts and the style that are in it here may run, by their hashes.
 *
 * @param content From `collectPage()`.
 * @returns The file's text. The same content gives the same text.
 *
 * @example
 * ```ts
 * import { findResults } from "../find_results.ts";
 * import { collectPage } from "./collect.ts";
 * import { makePage } from "./make_page.ts";
 *
 * const page = async (folder: string) => await makePage(await collectPage(await findResults([folder])));
 * ```
 */
export async function makePage(content: PageContent): Promise<string> {
  const style = [
    await Deno.readTextFile(new URL("./page.css", import.meta.url)),
    cardLabels(cellColumns(content.rows)),
    heatRules(),
  ].join("\n");
  const charts = scriptCode(await chartLibrary(), `Chart.js ${Chart.version}`);
  const client = fromFileUrl(new URL("./client/main.ts", import.meta.url));
  const code = scriptCode(await clientCode(client), "the page's code");
  // Room for the pictures from the start: otherwise the table would be laid out in their place first.
  const first = 'document.documentElement.classList.add("scripted");';
  const policy = [
    "default-src 'none'",
    `script-src ${[first, charts, code].map(hashOf).join(" ")}`,
    `style-src ${hashOf(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What KV-cache compression costs and gains</title>
<style>${style}</style>
<script>${first}</script>
</head>
<body>
${pageText(content).text}
<script type="application/json" id="data">${scriptJson(content.data)}</script>
<script>${charts}</script>
<script>${code}</script>
</body>
</html>
`;
}

/** Reads Chart.js as one script; without its last line, by which a browser would look for its source map. */
async function chartLibrary(): Promise<string> {
  const script = new URL("chart.umd.min.js", import.meta.resolve("chart.js"));
  return (await Deno.readTextFile(script)).replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
}

/** The hash of a script or a style in the page's policy. */
function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
