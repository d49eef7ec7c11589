/** A path of this site to return to: never another host's address. */
export function pathOnly(to: string | undefined): string {
  return to !== undefined && /^\/(?![/\\])[\x21-\x7e]*$/.test(to) ? to : "/";
}
