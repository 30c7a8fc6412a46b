import { fromFileUrl, join } from "@std/path";

/** Whether a C compiler is available to build stand-ins for libraries that need a GPU. */
export const hasGcc: boolean = Deno.build.os === "linux" && await works("gcc");

async function works(command: string): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args: ["--version"], stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

/**
 * Compiles a C file into a shared library of the given soname, in a fresh folder.
 *
 * @param source URL of the C file.
 * @param soname Name of the library.
 * @param defines `-D` flags.
 * @returns Absolute path of the library.
 */
export async function compileStub(source: URL, soname: string, defines: Record<string, string> = {}): Promise<string> {
  const path = join(await Deno.makeTempDir({ prefix: "kvcompress_stub_" }), soname);
  await compileInto(path, source, defines);
  return path;
}

/** Does {@linkcode compileStub} to a given path; the soname is the file's name. */
export async function compileInto(path: string, source: URL, defines: Record<string, string> = {}): Promise<void> {
  const soname = path.slice(path.lastIndexOf("/") + 1);
  const { success, stderr } = await new Deno.Command("gcc", {
    args: [
      "-shared",
      "-fPIC",
      "-O1",
      "-Wall",
      "-Werror",
      `-Wl,-soname,${soname}`,
      ...Object.entries(defines).map(([name, value]) => `-D${name}=${value}`),
      "-o",
      path,
      fromFileUrl(source),
    ],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
