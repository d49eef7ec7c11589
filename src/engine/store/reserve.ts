import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";

const RESERVE_BYTES = 16 * 1024 * 1024;
/** On a small disk the reserve is a share of it, and none at all below this size. */
const SHARE = 16;
const RESERVE_BYTES_MIN = 256 * 1024;
const CHUNK_BYTES = 256 * 1024;

/** Room set aside on the disk, given up so that what ends can still be recorded when the disk is full. */
export interface Reserve {
  /** Sets the room aside, with a little more to spare. Throws ENOSPC when there is none. */
  take(): void;
  /** Gives the room up; whether there was any. */
  release(): boolean;
}

export const noReserve: Reserve = { take: () => {}, release: () => false };

/** The reserve in `<dir>/reserve.bin`. */
export function reserveIn(dir: string): Reserve {
  const path = join(dir, "reserve.bin");
  const disk = statfsSync(dir);
  const share = Math.min(RESERVE_BYTES, Math.trunc((disk.blocks * disk.bsize) / SHARE));
  const bytes = share < RESERVE_BYTES_MIN ? 0 : share;
  return {
    take: () => {
      fill(`${path}.probe`, CHUNK_BYTES, () => {
        if (bytes > 0 && sizeOf(path) < bytes) fill(path, bytes);
      });
      rmSync(`${path}.probe`, { force: true });
    },
    release: () => {
      if (sizeOf(path) === 0) return false;
      rmSync(path, { force: true });
      return true;
    },
  };
}

/** Random content, since a file system that compresses would keep no room for zeros. Nothing is left on failure. */
function fill(path: string, bytes: number, then: () => void = () => {}): void {
  const { O_CREAT, O_WRONLY, O_TRUNC, O_NOFOLLOW } = constants;
  try {
    const file = openSync(path, O_CREAT | O_WRONLY | O_TRUNC | O_NOFOLLOW, 0o600);
    try {
      for (let left = bytes; left > 0; ) left -= writeSync(file, randomBytes(Math.min(CHUNK_BYTES, left)));
    } finally {
      closeSync(file);
    }
    then();
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
