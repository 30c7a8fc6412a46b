/** The project's folder: in a checkout a file URL, from a registry or another server http or https. */
export const PROJECT: URL = new URL("../../", import.meta.url);

/**
 * Whether the project was loaded from a URL, not from files on disk.
 *
 * @param project Its folder.
 */
export function isRemote(project: URL = PROJECT): boolean {
  return project.protocol === "http:" || project.protocol === "https:";
}
