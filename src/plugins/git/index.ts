export { type Checkout, type CheckoutOptions, checkout, sweepCheckouts } from "./checkout.ts";
export { createGit, type GitContext, gitThere } from "./command.ts";
export { readDates } from "./dates.ts";
export { type FetchedCommit, type GitFetchKey, gitFetch } from "./fetch.ts";
export { hasFile } from "./has-file.ts";
export { readHeads } from "./heads.ts";
export { type GitSource, locate, masked } from "./source.ts";
export { watchHeads } from "./watch.ts";
