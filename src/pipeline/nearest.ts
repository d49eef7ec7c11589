/** The candidate that `word` was probably meant to be, when one is close enough. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const allowed = Math.max(1, Math.floor(word.length / 3));
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= allowed ? best.candidate : undefined;
}

/** `Did you mean "live"? ` and what is known, for the end of a message; one sentence or two. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates);
  const known = candidates.length === 0 ? "There are none." : `Known: ${candidates.join(", ")}.`;
  return near === undefined ? known : `Did you mean "${near}"? ${known}`;
}

/** Letters to insert, delete, replace or swap with their neighbour. */
function distance(a: string, b: string): number {
  let before: readonly number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      const at = (cells: readonly number[], index: number): number => cells[index] ?? Number.POSITIVE_INFINITY;
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      line.push(
        Math.min(
          at(last, column) + 1,
          at(line, column - 1) + 1,
          at(last, column - 1) + (same ? 0 : 1),
          swapped ? at(before, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    before = last;
    last = line;
  }
  return last[b.length] ?? 0;
}
