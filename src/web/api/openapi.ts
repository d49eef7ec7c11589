import type { FastifyInstance, RouteOptions } from "fastify";
import { type TSchema, Type } from "typebox";
import { ProblemJson } from "./schemas.ts";

declare module "fastify" {
  interface FastifySchema {
    /** One line for the document of the API. */
    summary?: string;
    /** Type of an answer that is no JSON. */
    produces?: string;
  }
}

type Described = Readonly<Record<string, unknown>>;

/**
 * Serves `/openapi.json`: the document of all routes that are added after this call, made of the very schemas that
 * check them.
 *
 * @source OpenAPI 3.1.1 (whose schemas are JSON Schema 2020-12)
 */
export function serveDocument(app: FastifyInstance, about: { readonly version: string; readonly url: string }): void {
  const paths: Record<string, Record<string, Described>> = {};
  app.addHook("onRoute", (route) => {
    for (const method of [route.method].flat()) {
      if (method === "HEAD") continue;
      const path = route.url.replace(/:(\w+)/g, "{$1}");
      paths[path] = { ...paths[path], [method.toLowerCase()]: operationOf(path, method, route) };
    }
  });
  app.get(
    "/openapi.json",
    { config: { role: "viewer" }, schema: { summary: "This document", response: { 200: Type.Object({}) } } },
    () => ({
      openapi: "3.1.1",
      info: {
        title: "Millrace",
        version: about.version,
        description: "What a running Millrace shows, and can be told.",
      },
      servers: [{ url: about.url }],
      paths,
      components: {
        schemas: { Problem: ProblemJson },
        securitySchemes: { token: { type: "http", scheme: "bearer", description: "millrace token create NAME" } },
      },
    }),
  );
}

function operationOf(path: string, method: string, { schema = {}, config }: RouteOptions): Described {
  const role = config?.role ?? "admin";
  return {
    operationId: `${method.toLowerCase()}${path.replace(/^\/api\/v1/, "").replace(/[^A-Za-z0-9]+/g, "-")}`.replace(
      /-$/,
      "",
    ),
    summary: schema.summary ?? path,
    description: `Role: ${role}.`,
    ...(role === "viewer" ? {} : { security: [{ token: [] }] }),
    parameters: [...parametersOf(schema.params, "path"), ...parametersOf(schema.querystring, "query")],
    ...(schema.body === undefined ? {} : { requestBody: { content: { "application/json": { schema: schema.body } } } }),
    responses: responsesOf(schema.response, schema.produces),
  };
}

function parametersOf(schema: unknown, place: "path" | "query"): readonly Described[] {
  if (!isObjectSchema(schema)) return [];
  const needed = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(schema.properties).map(([name, part]: readonly [string, unknown]) => ({
    name,
    in: place,
    required: place === "path" || needed.includes(name),
    schema: part,
  }));
}

const isObjectSchema = (schema: unknown): schema is { readonly properties: object; readonly required?: unknown } =>
  typeof schema === "object" && schema !== null && "properties" in schema && typeof schema.properties === "object";

function responsesOf(response: unknown, produces: string | undefined): Described {
  const schema: TSchema | undefined = isAnswers(response) ? response[200] : undefined;
  const content = produces === undefined ? { "application/json": { schema: schema ?? {} } } : { [produces]: {} };
  const refusal = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
  return { 200: { description: "Done", content }, default: { description: "Not done, and why", content: refusal } };
}

const isAnswers = (response: unknown): response is { readonly 200: TSchema } =>
  typeof response === "object" && response !== null && 200 in response;
