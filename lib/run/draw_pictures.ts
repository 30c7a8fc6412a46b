import { drawInChild } from "../report/charts/draw_child.ts";
import type { Picture } from "../report/charts/pictures.ts";

/** Draws a run's pictures; reports each one that cannot be drawn. */
export async function drawPictures(
  folder: string,
  wanted: readonly Picture[],
  onNote: (message: string) => void,
  signal: AbortSignal,
) {
  let chart: string | null = null;
  const pictures: string[] = [];
  for (const picture of wanted) {
    if (signal.aborted) break;
    const drawn = await drawInChild(`${folder}/results.json`, picture, signal);
    if ("warning" in drawn) onNote(drawn.warning);
    else if (picture === "comparison") chart = drawn.path;
    else pictures.push(...drawn.paths);
  }
  return { chart, pictures };
}
