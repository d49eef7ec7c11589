import { createHash } from "node:crypto";
import type { Clock } from "../../engine/clock.ts";
import { problem } from "../../engine/errors.ts";
import type { Secret } from "../../engine/secret.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";
import { authorize } from "./auth.ts";
import type { CredentialSource } from "./credentials.ts";
import { type Answer, exchange, type Request, refusal } from "./http.ts";
import { originOf, type Repository, repositoryName } from "./reference.ts";

/** What the registry says a tag or digest is. */
export interface ManifestHead {
  /** `sha256:…`. */
  readonly digest: string;
  readonly mediaType: string;
}

export interface Manifest extends ManifestHead {
  readonly bytes: Uint8Array;
}

/**
 * The three requests of the distribution API by which a tag is moved. All fail with `REGISTRY_UNREACHABLE` (also 5xx and
 * 429), `REGISTRY_REFUSED`, `REGISTRY_REALM_REFUSED`, `REGISTRY_FAULT` or `CANCELLED`.
 */
export interface RegistryClient {
  /** undefined: there is no such tag or digest. */
  headManifest(
    repository: Repository,
    reference: string,
    signal: AbortSignal,
  ): Promise<Result<ManifestHead | undefined>>;
  /** Fails also with `MANIFEST_GONE`, or `DIGEST_MISMATCH` when the bytes are not those of the digest asked for. */
  getManifest(repository: Repository, reference: string, signal: AbortSignal): Promise<Result<Manifest>>;
  /** Returns the digest under which the registry has it. Fails also with `DIGEST_MISMATCH`. */
  putManifest(repository: Repository, tag: string, manifest: Manifest, signal: AbortSignal): Promise<Result<string>>;
  /** Whether the registry answers and takes our credentials for reading. */
  check(host: string, signal: AbortSignal): Promise<Result<void>>;
}

/** Single images and lists of them, in Docker's and in OCI's form: asking for less makes a registry convert them. */
const MEDIA_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

const DIGEST = /^sha256:[0-9a-f]{64}$/;

export interface ClientPorts {
  readonly clock: Clock;
  readonly credentials: CredentialSource;
}

export function createRegistryClient(ports: ClientPorts): RegistryClient {
  const http = { clock: ports.clock, send: createSender(ports) };
  return {
    headManifest: (repository, reference, signal) => headManifest(http, repository, reference, signal),
    getManifest: (repository, reference, signal) => getManifest(http, repository, reference, signal),
    putManifest: (repository, tag, manifest, signal) => putManifest(http, repository, tag, manifest, signal),
    check: (host, signal) => check(http, host, signal),
  };
}

interface Http {
  readonly clock: Clock;
  readonly send: Send;
}

const headManifest: Bound<"headManifest"> = async (http, repository, reference, signal) => {
  const answer = await askFor(http, "HEAD", repository, reference, signal);
  if (!answer.ok) return answer;
  if (answer.value === undefined) return success(undefined);
  const digest = answer.value.headers.get("docker-content-digest") ?? "";
  if (DIGEST.test(digest)) return success({ digest, mediaType: mediaTypeOf(answer.value) });
  // The header is no duty of a registry: the bytes tell as well.
  const whole = await askFor(http, "GET", repository, reference, signal);
  return whole.ok ? success(whole.value && manifestOf(whole.value)) : whole;
};

const getManifest: Bound<"getManifest"> = async (http, repository, reference, signal) => {
  const name = `${repositoryName(repository)} ${reference}`;
  const answer = await askFor(http, "GET", repository, reference, signal);
  if (!answer.ok) return answer;
  if (answer.value === undefined) return failure(problem("MANIFEST_GONE", `${name}: the registry has it not`));
  const manifest = manifestOf(answer.value);
  if (!DIGEST.test(reference) || manifest.digest === reference) return success(manifest);
  return failure(mismatch(name, manifest.digest, reference));
};

const putManifest: Bound<"putManifest"> = async (http, repository, tag, manifest, signal) => {
  const name = `${repositoryName(repository)}:${tag}`;
  const wanted = digestOf(manifest.bytes);
  const headers = { "content-type": manifest.mediaType };
  const request: Request = { method: "PUT", headers, body: manifest.bytes };
  const answer = await http.send(repository, pathOf(repository, tag), request, "pull,push", signal);
  if (!answer.ok) return answer;
  if (answer.value.status !== 201) return failure(refusal(http.clock, `putting ${name}`, answer.value));
  const digest = answer.value.headers.get("docker-content-digest") ?? wanted;
  return digest === wanted ? success(digest) : failure(mismatch(name, digest, wanted));
};

const check: Bound<"check"> = async (http, host, signal) => {
  const answer = await http.send({ host, path: "" }, "/v2/", { method: "GET", headers: {} }, "", signal);
  if (!answer.ok) return answer;
  if (answer.value.status === 200) return success(undefined);
  return failure(refusal(http.clock, `registry ${host}`, answer.value));
};

/** A method of the client as a function of its connection. */
type Bound<Name extends keyof RegistryClient> = (
  http: Http,
  ...args: Parameters<RegistryClient[Name]>
) => ReturnType<RegistryClient[Name]>;

/** undefined: 404. */
async function askFor(
  { clock, send }: Http,
  method: "GET" | "HEAD",
  repository: Repository,
  reference: string,
  signal: AbortSignal,
): Promise<Result<Answer | undefined>> {
  const name = `${repositoryName(repository)}${DIGEST.test(reference) ? "@" : ":"}${reference}`;
  const request = { method, headers: { accept: MEDIA_TYPES } };
  const answer = await send(repository, pathOf(repository, reference), request, "pull", signal);
  if (!answer.ok || answer.value.status === 200) return answer;
  return answer.value.status === 404 ? success(undefined) : failure(refusal(clock, name, answer.value));
}

type Send = (
  repository: Repository,
  path: string,
  request: Request,
  actions: string,
  signal: AbortSignal,
) => Promise<Result<Answer>>;

/** Sends, and sends once more with what the registry asks for. The header is kept for the next time. */
function createSender({ clock, credentials }: ClientPorts): Send {
  const kept = new Map<string, Secret>();
  return async (repository, path, request, actions, signal) => {
    const origin = originOf(repository.host);
    const url = new URL(path, origin);
    const scope = repository.path === "" ? "" : `repository:${repository.path}:${actions}`;
    const key = `${origin} ${scope}`;
    const attempt = (header: Secret | undefined): Promise<Result<Answer>> => {
      const authorization = header === undefined ? {} : { authorization: header.reveal() };
      return exchange(clock, url, { ...request, headers: { ...request.headers, ...authorization } }, signal);
    };
    const first = await attempt(kept.get(key));
    if (!first.ok || first.value.status !== 401) return first;
    kept.delete(key); // a token that has run out
    const access = { scope, credential: credentials(repository.host) };
    const header = await authorize(clock, new URL(origin), first.value, access, signal);
    if (!header.ok) return header;
    if (header.value === undefined) return first;
    const second = await attempt(header.value);
    if (second.ok && second.value.status !== 401) kept.set(key, header.value);
    return second;
  };
}

const pathOf = ({ path }: Repository, reference: string): string =>
  `/v2/${path}/manifests/${encodeURIComponent(reference)}`;

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

const mediaTypeOf = ({ headers }: Answer): string => headers.get("content-type")?.split(";", 1)[0]?.trim() ?? "";

const manifestOf = (answer: Answer): Manifest => ({
  digest: digestOf(answer.bytes),
  mediaType: mediaTypeOf(answer),
  bytes: answer.bytes,
});

const mismatch = (name: string, got: string, expected: string): Failure =>
  problem("DIGEST_MISMATCH", `${name}: the registry answers ${got}, expected ${expected}`);
