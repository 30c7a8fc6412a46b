import type { Pages } from "./pages.ts";

/** The page with the list of rooms. */
export const ROOM_PAGE = "docs/architecture.md";

/**
 * Returns the rooms of the source in the order of docs/architecture.md: a room imports from itself and from rooms above
 * it in that list. Each line of the fenced block `rooms` begins with a path.
 *
 * @param page The page's text.
 */
export function roomsOf(page: string): string[] {
  const block = /^```rooms\n([^]*?)^```$/m.exec(page)?.[1] ?? "";
  return block.split("\n").map((line) => line.split(" ")[0]!).filter((path) => path !== "");
}

/**
 * Finds rooms without files, and files in no room.
 *
 * @param pages The project's pages.
 * @param files Paths of all source files.
 */
export function roomFaults(pages: Pages, files: readonly string[]): string[] {
  const rooms = roomsOf(pages.get(ROOM_PAGE) ?? "");
  if (rooms.length === 0) return [`${ROOM_PAGE}: no list of rooms`];
  const isIn = (file: string, room: string) => file === room || file.startsWith(`${room}/`);
  return [
    ...rooms.filter((room) => !files.some((file) => isIn(file, room)))
      .map((room) => `${ROOM_PAGE}: the room ${room} has no files`),
    ...files.filter((file) => !rooms.some((room) => isIn(file, room)))
      .map((file) => `${ROOM_PAGE}: ${file} is in no room`),
  ];
}
