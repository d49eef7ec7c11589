// Makes a state directory with recorded results: `node fill.js DIRECTORY BRANCHES`.
import { record } from "./recorded.ts";
import { openState } from "./state.ts";

const [, , dir = "", branches = ""] = process.argv;
const { store } = await openState(dir);
await record(store, Number(branches));
await store.close();
