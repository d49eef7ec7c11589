export { createRegistryClient, type ManifestHead, type RegistryClient } from "./client.ts";
export { type Credential, type CredentialSource, parseCredentials } from "./credentials.ts";
export { parseRepository } from "./reference.ts";
export { type TagRef, type TagSpec, type TagWanted, tagKind } from "./tag.ts";
