import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { busyDay } from "../support/scene.ts";
import { BEARER, injectable } from "../support/web.ts";

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly security?: readonly object[];
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: object;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: object }>>;
}

let app: FastifyInstance;
let document: {
  readonly openapi: string;
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

beforeAll(async () => {
  ({ app } = await injectable(busyDay(1_763_719_000_000)));
  document = (await app.inject({ url: "/api/v1/openapi.json" })).json();
});
afterAll(() => app.close());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

describe("the document of the API", () => {
  test("has every route of the API, with its role, and nothing else", () => {
    const routes = app.routeRoles
      .filter(({ method, url }) => method !== "HEAD" && url.startsWith("/api/"))
      .map(({ method, url, role }) => `${method} ${url.replace(/:(\w+)/g, "{$1}")} Role: ${role}.`);
    const said = operations().map(
      ({ path, method, operation }) => `${method.toUpperCase()} ${path} ${operation.description}`,
    );
    expect(said.toSorted()).toEqual(routes.toSorted());
    expect(said.length).toBeGreaterThan(20);
    expect([document.openapi, document.servers[0]?.url]).toEqual(["3.1.1", "http://localhost:8080"]);
  });

  test("names each operation once, and each parameter of a path", () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain("post-jobs-date-id-rebuild");
    for (const { path, operation } of operations()) {
      const named = operation.parameters.filter((one) => one.in === "path").map(({ name }) => name);
      expect(named).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      for (const parameter of operation.parameters) expect(Object.keys(parameter.schema).length).toBeGreaterThan(0);
      expect(operation.summary).not.toBe(path);
      expect(operation.responses["default"]?.content).toHaveProperty("application/problem+json");
    }
  });

  test("says what an answer and a body look like, and who needs a token", () => {
    const jobs = document.paths["/api/v1/jobs"]?.["get"];
    expect(jobs?.parameters.map(({ name, required }) => `${name} ${String(required)}`)).toContain("before false");
    expect(jobs?.responses["200"]?.content).toMatchObject({
      "application/json": { schema: { type: "object", properties: { jobs: { type: "array" } }, required: ["jobs"] } },
    });
    expect(jobs).not.toHaveProperty("security");
    const confirm = document.paths["/api/v1/confirm"]?.["put"];
    expect(confirm?.requestBody?.content).toMatchObject({
      "application/json": { schema: { required: ["threshold"] } },
    });
    expect(confirm?.security).toEqual([{ token: [] }]);
    expect(document.paths["/api/v1/events"]?.["get"]?.responses["200"]?.content).toEqual({ "text/event-stream": {} });
  });

  test("what it says of a body is what is checked", async () => {
    const wrong = { name: "x", role: "root" };
    const reply = await app.inject({ method: "POST", url: "/api/v1/tokens", headers: BEARER, payload: wrong });
    expect([reply.statusCode, reply.json()]).toMatchObject([400, { code: "BAD_REQUEST" }]);
  });
});
