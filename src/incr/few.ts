/** None, one or many of something. Most nodes have one reader or none: those cost no object of their own. */
export type Few<T extends object> = T | Set<T> | undefined;

/** With this member too; it is the same set, when there was one already. */
export function withOne<T extends object>(few: Few<T>, member: T): Few<T> {
  if (few === undefined || few === member) return member;
  return few instanceof Set ? few.add(member) : new Set([few, member]);
}

/** Without this member, if it was one. Taking one of 100,000 away costs the same as one of two. */
export function withoutOne<T extends object>(few: Few<T>, member: T): Few<T> {
  if (few === member) return undefined;
  if (few instanceof Set) few.delete(member);
  return few;
}

/** Whether it is a member. */
export const hasOne = <T extends object>(few: Few<T>, member: T): boolean =>
  few === member || (few instanceof Set && few.has(member));

/** Calls `visit` with each member, in the order in which they were added. */
export function eachOf<T extends object>(few: Few<T>, visit: (member: T) => void): void {
  if (few instanceof Set) for (const member of few) visit(member);
  else if (few !== undefined) visit(few);
}

/** How many there are. */
export const sizeOf = <T extends object>(few: Few<T>): number =>
  few instanceof Set ? few.size : few === undefined ? 0 : 1;
