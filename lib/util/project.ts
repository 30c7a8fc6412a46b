/** The project's folder: a file URL in a checkout, http or https from a registry or another server. */
export const PROJECT: URL = new URL("../../", import.meta.url);

/**
 * Whether the project was loaded from a URL, not from files on disk.
 *
 * @param project The project's folder.
 */
export function isRemote(project: URL = PROJECT): boolean {
  return project.protocol === "http:" || project.protocol === "https:";
}
