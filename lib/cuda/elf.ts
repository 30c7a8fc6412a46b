/** Constants of elf.h. */
const PT_LOAD = 1, PT_DYNAMIC = 2, DT_NULL = 0n, DT_NEEDED = 1n, DT_STRTAB = 5n;

/**
 * Returns the sonames that a Linux shared library needs, as `readelf -d` lists them under NEEDED. They tell which CUDA
 * version a provider was built for without loading it: loading fails where that version is missing.
 *
 * @param path Path of a 64-bit little-endian ELF file.
 * @returns Sonames in the file's order.
 *
 * @throws {SyntaxError} If it is not a 64-bit little-endian ELF file.
 * @throws {Deno.errors.NotFound} If the file does not exist.
 *
 * @example
 * ```ts ignore
 * import { neededLibraries } from "./elf.ts";
 *
 * neededLibraries("libonnxruntime_providers_cuda.so"); // ["libcublasLt.so.13", "libcublas.so.13", …]
 * ```
 */
export function neededLibraries(path: string): string[] {
  using file = Deno.openSync(path);
  const read = (offset: number | bigint, bytes: number): DataView => {
    const into = new Uint8Array(bytes);
    file.seekSync(offset, Deno.SeekMode.Start);
    let done = 0;
    while (done < bytes) {
      const n = file.readSync(into.subarray(done));
      if (n === null) throw new SyntaxError(`Cannot read ${path}: it ends early`);
      done += n;
    }
    return new DataView(into.buffer);
  };

  const size = file.statSync().size;
  const header = size < 64 ? new DataView(new ArrayBuffer(64)) : read(0, 64); // Elf64_Ehdr
  // e_ident: magic, ELFCLASS64, ELFDATA2LSB
  if (header.getUint32(0) !== 0x7f454c46 || header.getUint8(4) !== 2 || header.getUint8(5) !== 1) {
    throw new SyntaxError(`Cannot read ${path}: it is not a 64-bit little-endian ELF file`);
  }
  const count = header.getUint16(56, true); // e_phnum
  const table = read(header.getBigUint64(32, true), count * 56); // e_phoff, Elf64_Phdr[]
  const segments = Array.from({ length: count }, (_, i) => ({
    type: table.getUint32(i * 56, true),
    offset: table.getBigUint64(i * 56 + 8, true),
    address: table.getBigUint64(i * 56 + 16, true),
    bytes: table.getBigUint64(i * 56 + 32, true),
  }));
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined) return [];

  const entries = read(dynamic.offset, Number(dynamic.bytes)); // Elf64_Dyn[]
  const needed: bigint[] = [];
  let strings = 0n;
  for (let at = 0; at + 16 <= entries.byteLength; at += 16) {
    const tag = entries.getBigInt64(at, true), value = entries.getBigUint64(at + 8, true);
    if (tag === DT_NULL) break;
    if (tag === DT_NEEDED) needed.push(value);
    if (tag === DT_STRTAB) strings = value;
  }
  // DT_STRTAB is an address; the segment that is loaded there says where it lies in the file
  const text = segments.find(({ type, address, bytes }) =>
    type === PT_LOAD && strings >= address && strings < address + bytes
  );
  if (text === undefined) return [];
  const base = strings - text.address + text.offset;
  return needed.map((offset) => {
    const start = base + offset;
    const bytes = new Uint8Array(read(start, Math.min(256, size - Number(start))).buffer);
    return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  });
}
