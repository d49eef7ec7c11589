import { createPrivateKey } from "node:crypto";
import { problem } from "../engine/errors.ts";
import type { Secret } from "../engine/secret.ts";
import { failure, type Result, success } from "../term/output.ts";
import type { Call } from "./command.ts";
import type { GitHubAccess } from "./options.ts";
import { pathOf } from "./path-of.ts";
import { secretFile } from "./secret-file.ts";

/** What the flags about GitHub come to. Fails with `USAGE` or `FORGE_KEY`, before anything is asked of GitHub. */
export function githubAccess(call: Call): Result<GitHubAccess> {
  const { given } = call;
  const [id, keyFile] = [given.number("githubAppId"), given.text("githubKey")];
  const secretPath = given.text("githubSecret");
  if ((id === undefined) !== (keyFile === undefined))
    return usage("--github-app-id and --github-private-key-file belong together: one of them is missing");
  if (secretPath !== undefined && id === undefined) return usage("--github-webhook-secret-file needs --github-app-id");
  const api = apiOf(given.text("githubUrl"));
  if (!api.ok) return api;
  const key = keyFile === undefined ? success(undefined) : keyOf(pathOf(call, keyFile));
  if (!key.ok) return key;
  const secret = secretPath === undefined ? success(undefined) : secretFile(pathOf(call, secretPath));
  if (!secret.ok) return secret;
  const accounts = given
    .text("githubAccounts")
    ?.split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return success({
    ...(id === undefined || key.value === undefined ? {} : { app: { id, key: key.value } }),
    ...(secret.value === undefined ? {} : { webhookSecret: secret.value }),
    ...(accounts === undefined ? {} : { allowlist: accounts }),
    ...(api.value === undefined ? {} : { api: api.value }),
  });
}

function keyOf(file: string): Result<Secret> {
  const read = secretFile(file);
  if (!read.ok) return read;
  try {
    createPrivateKey(read.value.reveal());
    return read;
  } catch {
    return failure(
      problem("FORGE_KEY", `${file} is no private key: expected the .pem file that GitHub made for the app`),
    );
  }
}

/** Tokens are sent there, so nobody may listen on the way: plain http is for this machine only. */
function apiOf(text: string | undefined): Result<URL | undefined> {
  if (text === undefined) return success(undefined);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHere = url?.protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  if (url === undefined || (url.protocol !== "https:" && !isHere) || url.username !== "" || url.search !== "")
    return usage(`--github-url "${text}" is not a plain https:// address`);
  return success(new URL(url.href.replace(/\/+$/, "")));
}

const usage = (message: string): Result<never> => failure(problem("USAGE", message));
