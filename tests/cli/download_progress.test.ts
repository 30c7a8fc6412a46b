import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { DownloadEvent } from "../../lib/hub/hub.ts";
import { DownloadProgress } from "../../lib/cli/progress/download_progress.ts";

const event = (done: number, rest: Partial<DownloadEvent> = {}): DownloadEvent => ({
  type: "download",
  repo: "org/name",
  files: 4,
  filesDone: 0,
  done,
  fetched: done,
  total: 200e6,
  ...rest,
});

Deno.test("DownloadProgress writes few lines where there is no terminal", () => {
  const lines: string[] = [];
  let now = 0;
  using progress = new DownloadProgress({ isTerminal: false, write: (text) => lines.push(text), now: () => now });
  progress.update(event(50e6, { fetched: 0 })); // of an earlier run
  for (; now <= 12_000; now += 100) progress.update(event(50e6 + now * 10e3, { fetched: 1 + now * 10e3 }));
  progress.update(event(200e6, { fetched: 150e6, filesDone: 4 }));
  deepEqual(lines, [
    "Downloading org/name: 4 files, 200 MB\n",
    "Downloading org/name: 150 MB of 200 MB, 10 MB/s, about 5 s left\n",
    "Downloaded org/name: 150 MB in 12 s\n",
  ]);
});

Deno.test("DownloadProgress says nothing where nothing is downloaded", () => {
  const lines: string[] = [];
  using progress = new DownloadProgress({ isTerminal: false, write: (text) => lines.push(text) });
  progress.update(event(200e6, { fetched: 0, filesDone: 4 }));
  deepEqual(lines, []);
});

Deno.test("DownloadProgress redraws one line on a terminal, no wider than it, and clears it", () => {
  let screen = "";
  let now = 0;
  const options = {
    isTerminal: true,
    write: (text: string) => void (screen += text),
    columns: () => 66,
    now: () => now,
  };
  using progress = new DownloadProgress(options);
  progress.update(event(1e6));
  now = 5000;
  progress.update(event(100e6));
  const drawn = screen.split("\r\x1b[2K").slice(1);
  equal(drawn.length, 2);
  match(drawn[1]!, /^Downloading org\/name {2}█{12}░{12} {2}100 MB of 200 MB/);
  ok(drawn.every((line) => [...line].length < 66));
  progress.update(event(110e6, { total: undefined }));
  match(screen, /Downloading org\/name {2}110 MB {2}22 MB\/s$/);
  progress.update(event(200e6, { filesDone: 4 }));
  ok(screen.endsWith("\r\x1b[2KDownloaded org/name: 200 MB in 5 s\n"));
});
