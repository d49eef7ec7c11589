/** Lets everything else that waits have its turn: for long work that is done piece by piece. */
export const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
