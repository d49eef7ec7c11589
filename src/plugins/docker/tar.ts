/** A file, directory or symbolic link as it goes into an archive. Owner and times of a stranger's files say nothing. */
export interface TarEntry {
  /** Relative, with `/`. */
  readonly path: string;
  readonly kind: "file" | "directory" | "link";
  readonly executable: boolean;
  /** Bytes of a file; 0 for others. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly modified: number;
  /** Where a link leads. */
  readonly target?: string;
}

const BLOCK = 512;
/** What fits into the fields of a header; longer ones go into an extended header before it. */
const NAME_MAX = 100;

/**
 * The header blocks of one entry; a file's content follows, filled up by `tarPadding`.
 *
 * @source POSIX.1-2017, pax: ustar and extended header formats
 */
export function tarHeader(entry: TarEntry): Buffer {
  const path = entry.kind === "directory" ? `${entry.path}/` : entry.path;
  const target = entry.target ?? "";
  const extended: [string, string][] = [];
  if (Buffer.byteLength(path) > NAME_MAX) extended.push(["path", path]);
  if (Buffer.byteLength(target) > NAME_MAX) extended.push(["linkpath", target]);
  const header = block(path, TYPES[entry.kind], entry.size, modeOf(entry), entry.modified, target);
  if (extended.length === 0) return header;
  const records = Buffer.concat(extended.map(([name, value]) => record(name, value)));
  const before = block("pax", "x", records.length, 0o644, entry.modified, "");
  return Buffer.concat([before, records, tarPadding(records.length), header]);
}

/** Zeros that fill the last block of `size` bytes. */
export const tarPadding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

/** Two empty blocks end an archive. */
export const tarEnd = (): Buffer => Buffer.alloc(2 * BLOCK);

const TYPES = { file: "0", link: "2", directory: "5" } as const;
const modeOf = (entry: TarEntry): number =>
  entry.kind === "link" ? 0o777 : entry.kind === "directory" || entry.executable ? 0o755 : 0o644;

function block(path: string, type: string, size: number, mode: number, modified: number, target: string): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number): void => {
    header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  };
  Buffer.from(path).copy(header, 0, 0, NAME_MAX);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(Math.max(0, Math.floor(modified)), 136, 12);
  header.fill(" ", 148, 156);
  header.write(type, 156, "latin1");
  Buffer.from(target).copy(header, 157, 0, NAME_MAX);
  header.write("ustar\u000000", 257, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

/** `LENGTH name=value\n`, where LENGTH counts its own digits too. */
function record(name: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${name}=${value}\n`);
  let length = rest;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return Buffer.from(`${length} ${name}=${value}\n`);
}
