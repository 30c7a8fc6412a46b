/// <reference lib="dom" />
/** Opens pages in Debian's chromium, by playwright-core, which brings no browser of its own. */
import type { Browser, Page } from "playwright-core";
import { toFileUrl } from "@std/path";

/** Where the browser is looked for. */
export const CHROMIUM = Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";

/** Whether there is a browser. */
export const hasBrowser = await Deno.stat(CHROMIUM).then(({ isFile }) => isFile, () => false);

/** What a page did that it should not. */
export interface Opened {
  page: Page;
  /** Lines of the console, errors and requests other than for the page itself. */
  complaints: string[];
}

/** A browser, and pages in it. */
export class TestBrowser implements AsyncDisposable {
  private constructor(readonly browser: Browser, readonly folder: string) {}

  static async start(): Promise<TestBrowser> {
    // As it is loaded, one of its packages looks for Windows in files for which Deno wants all permissions; not so in its
    // own tests.
    Deno.env.set("__IS_WSL_TEST__", "1");
    const { chromium } = await import("playwright-core");
    // The tests may run as root, where chromium's sandbox does not start. It opens files of the tests alone.
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    return new TestBrowser(browser, await Deno.makeTempDir());
  }

  /** Opens a page from a file. */
  async open(
    html: string,
    options: { width?: number; height?: number; colorScheme?: "light" | "dark"; hash?: string } = {},
  ): Promise<Opened> {
    const { width = 1280, height = 900, colorScheme = "light", hash = "" } = options;
    const file = `${this.folder}/page.html`;
    await Deno.writeTextFile(file, html);
    const page = await this.browser.newPage({ viewport: { width, height }, colorScheme });
    const complaints: string[] = [];
    const url = toFileUrl(file).href;
    page.on("console", (message) => complaints.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
    page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
    page.on("request", (request) => {
      if (request.url().split("#")[0] !== url) complaints.push(`request: ${request.url()}`);
    });
    await page.goto(url + hash);
    return { page, complaints };
  }

  /** Closes all pages. */
  async closePages(): Promise<void> {
    for (const context of this.browser.contexts()) await context.close();
  }

  async [Symbol.asyncDispose]() {
    await this.browser.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** A text that is hard to read. */
export interface PoorText {
  text: string;
  ratio: number;
}

/** Finds texts whose contrast with what is behind them is less than 4.5 to 1, by WCAG 2; runs in the page. */
export function poorTexts(): PoorText[] {
  const channel = (value: number) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const parse = (color: string) => color.match(/[\d.]+/g)!.map(Number) as [number, number, number, number?];
  const luminance = (color: string) => {
    const [red, green, blue] = parse(color);
    return 0.2126 * channel(red / 255) + 0.7152 * channel(green / 255) + 0.0722 * channel(blue / 255);
  };
  const behind = (element: Element | null): string => {
    if (element === null) return "rgb(255, 255, 255)";
    const color = getComputedStyle(element).backgroundColor;
    return (parse(color)[3] ?? 1) === 0 ? behind(element.parentElement) : color;
  };
  const poor: PoorText[] = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (texts.nextNode()) {
    const parent = texts.currentNode.parentElement!;
    const text = texts.currentNode.textContent!.trim();
    if (text === "" || parent.closest("script, style") || !parent.checkVisibility()) continue;
    seen++;
    const [a, b] = [luminance(getComputedStyle(parent).color), luminance(behind(parent))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    // What is disabled need not be readable, by the same rules.
    if (ratio < 4.5 && !parent.closest(":disabled")) poor.push({ text: text.slice(0, 40), ratio });
  }
  return seen > 50 ? poor : [{ text: `only ${seen} texts were seen`, ratio: 0 }];
}

/** Counts a canvas' pixels near a colour; runs in the page. */
export function pixelsOf([id, color]: [string, string]): number {
  const canvas = document.getElementById(id) as HTMLCanvasElement;
  // Of a copy: the browser complains about pictures that are read and drawn.
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true })!;
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  const wanted = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3]! > 250 && wanted.every((part, place) => Math.abs(part - data[at + place]!) < 4)) count++;
  }
  return count;
}
