const NAMES_MAX = 5;

/** Those of `names` that may have been meant by `wanted`, the likeliest first, five at most. */
export function similarNames(wanted: string, names: readonly string[]): readonly string[] {
  const meant = wanted.toLowerCase();
  const far = Math.max(2, Math.floor(meant.length / 3));
  return names
    .map((name) => ({ name, distance: distanceOf(meant, name.toLowerCase()) }))
    .filter(({ distance }) => distance <= far)
    .toSorted((one, other) => one.distance - other.distance || one.name.localeCompare(other.name))
    .slice(0, NAMES_MAX)
    .map(({ name }) => name);
}

/** Letters to insert, drop or replace to turn one name into the other; 1 when one holds the other. */
function distanceOf(one: string, other: string): number {
  if (one === other) return 0;
  if (other.length > 2 && (one.includes(other) || other.includes(one))) return 1;
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
