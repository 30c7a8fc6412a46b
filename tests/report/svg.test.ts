/** SVG files: what Skia leaves out is put back, and what it blows up stays small. */
import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import { loadCanvas } from "../../lib/report/charts/canvas.ts";
import { curvedArc } from "../../lib/report/charts/curved_arc.ts";
import { drawPicture } from "../../lib/report/charts/picture_page.ts";
import { placeTexts } from "../../lib/report/charts/svg_text.ts";
import { readPicture } from "./_picture.ts";

async function draw(drawer: Parameters<typeof drawPicture>[2]) {
  const folder = await Deno.makeTempDir({ prefix: "kvcompress_test_" });
  try {
    await drawPicture(`${folder}/a.png`, { width: 2, height: 1 }, drawer, await loadCanvas());
    return { picture: await readPicture(`${folder}/a.png`), svg: await Deno.readTextFile(`${folder}/a.svg`) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("an SVG file has its size in inches, the font, and text as text", async () => {
  const { picture, svg } = await draw((page) =>
    page.paint((context) => {
      context.fillStyle = "#112233";
      context.font = "600 14px Inter";
      context.textAlign = "center";
      // Skia loses a bracket before a capital; and signs of XML.
      context.fillText("(Lower is Better) <a & b>", 72, 30);
      context.font = "400 9px Inter";
      context.fillText("两 tokens", 72, 60);
    })
  );
  equal(picture.width, 600);
  match(svg, /<svg[^>]* width="2in" height="1in" viewBox="0 0 600 300"/);
  match(svg, /@font-face\{font-family:Inter;font-weight:600;src:url\(data:font\/woff2;base64,/);
  match(svg, /font-weight="600" font-family="Inter, sans-serif"[^>]*>\(Lower is Better\) &lt;a &amp; b&gt;<\/text>/);
  // As wide as the font makes it, whatever font the reader has: centred at 72.
  const [, x, width] = /x="([\d.-]+)" textLength="([\d.]+)"[^>]*>\(Lower/.exec(svg)!;
  ok(Math.abs(Number(x) + Number(width) / 2 - 72) < 0.02);
  ok(svg.includes("tokens"));
});

Deno.test("text that was not recorded stays as it is, and repeated text keeps its order", () => {
  const element = (letters: string, x: number) => `<text font-family="Inter" x="${x}, " y="1">${letters}</text>`;
  const svg = element("12", 5) + element("other", 6) + element("12", 7);
  const placed = placeTexts(svg, [{ text: "(12)", x: 1, width: 9 }, { text: "12", x: 2, width: 8 }]);
  deepEqual(
    [...placed.matchAll(/x="([^"]*)"[^>]*>([^<]*)</g)].map(([, x, text]) => `${x} ${text}`),
    ["1 (12)", "6,  other", "2 12"],
  );
});

Deno.test("a dashed line of many points is one line, drawn the same as in the PNG file", async () => {
  const { picture, svg } = await draw((page) =>
    page.paint((context) => {
      context.strokeStyle = "#cc0000";
      context.lineWidth = 1.6;
      context.setLineDash([7, 4]);
      context.beginPath();
      for (let at = 0; at < 1000; at++) context.lineTo(at / 8, 36 + 20 * Math.sin(at / 50));
      context.stroke();
      context.setLineDash([2, 3]);
      context.strokeRect(10, 10, 20, 20);
      context.setLineDash([]);
      context.lineWidth = 2;
      context.strokeRect(40, 40, 20, 20);
    })
  );
  const widths = [...svg.matchAll(/ stroke-width="[^"]*"( stroke-dasharray="[^"]*")?/g)].map(([text]) => text.trim());
  deepEqual(widths, [
    'stroke-width="1.6" stroke-dasharray="7 4"',
    'stroke-width="1.6" stroke-dasharray="2 3"',
    'stroke-width="2"',
  ]);
  ok(svg.replace(/<style>.*<\/style>/, "").length < 20_000);
  // In the PNG file, gaps are gaps.
  const { data } = picture.area({ x: 0, y: 0, width: 144, height: 72 });
  ok(data.some((color) => color === 0xcc0000) && data.some((color) => color === 0xffffff));
});

Deno.test("charts draw into the page: no picture of pixels in an SVG file, round corners are few curves", async () => {
  const { svg } = await draw((page) =>
    page.paint((context) => {
      context.beginPath();
      context.arc(50, 40, 10, 0, 2 * Math.PI);
      context.fill();
    })
  );
  doesNotMatch(svg, /<image/);
  const [path] = /<path[^>]*>/.exec(svg)!;
  ok(path!.length < 500, path);
});

Deno.test("curvedArc() ends where an arc ends, and stays on the circle", () => {
  const angle = fc.double({ min: -10, max: 10, noNaN: true });
  fc.assert(fc.property(angle, angle, fc.boolean(), (from, to, counterclockwise) => {
    let [x, y] = [NaN, NaN];
    let way = 0;
    const onCircle = (x: number, y: number) => ok(Math.abs(Math.hypot(x - 3, y - 4) - 5) < 0.01);
    curvedArc(
      {
        lineTo: (toX, toY) => {
          [x, y] = [toX, toY];
          onCircle(x, y);
        },
        bezierCurveTo: (ax, ay, bx, by, toX, toY) => {
          for (const t of [0.25, 0.5, 0.75, 1]) {
            const mix = (a: number, b: number, c: number, d: number) =>
              a * (1 - t) ** 3 + 3 * b * t * (1 - t) ** 2 + 3 * c * t ** 2 * (1 - t) + d * t ** 3;
            onCircle(mix(x, ax, bx, toX), mix(y, ay, by, toY));
          }
          way += Math.abs(Math.asin(Math.min(1, Math.hypot(toX - x, toY - y) / 10)) * 2);
          [x, y] = [toX, toY];
        },
      },
      3,
      4,
      5,
      from,
      to,
      counterclockwise,
    );
    const turn = 2 * Math.PI;
    const asked = counterclockwise ? from - to : to - from;
    const angle = asked >= turn ? turn : ((asked % turn) + turn) % turn;
    ok(Math.abs(way - angle) < 1e-6, `${way} for ${angle}`);
    if (asked < turn) ok(Math.hypot(x - 3 - 5 * Math.cos(to), y - 4 - 5 * Math.sin(to)) < 1e-6);
  }));
});
