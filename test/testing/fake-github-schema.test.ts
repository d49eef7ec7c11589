import { describe, expect, test } from "vitest";
import { EVENTS } from "../../src/testing/fake-github/events.ts";
import { Router } from "../../src/testing/fake-github/router.ts";
import { routes } from "../../src/testing/fake-github/routes/index.ts";
import {
  complete,
  describedEvents,
  describedOperations,
  faults,
  isShape,
  operationOf,
  type Schema,
  unknownNames,
} from "../../src/testing/fake-github/schema.ts";

test("openapi.json describes what is served, and nothing else (npm run openapi)", () => {
  const served = new Set(routes.map(({ operation }) => operation));
  expect(served.size).toBe(routes.length);
  expect(new Set(describedOperations())).toEqual(served);
  expect(describedEvents()).toEqual(EVENTS);
});

describe("own answers", () => {
  const answer = (operation: string, status: string): Schema => {
    const schema = operationOf(operation)?.answers[status];
    if (schema === undefined || schema === null) throw new Error(`${operation} has no answer ${status}`);
    return schema;
  };
  const ref = answer("GET /repos/{owner}/{repo}/git/ref/{ref}", "200");
  const run = answer("POST /repos/{owner}/{repo}/check-runs", "201");

  test("can all be made from nothing", () => {
    const answers = routes.flatMap(({ operation }) => {
      const described = Object.entries(operationOf(operation)?.answers ?? {});
      return described.map(([status, schema]) => ({ what: `${operation} ${status}`, schema }));
    });
    const wrong = answers.flatMap(({ what, schema }) =>
      schema === null ? [] : faults(schema, complete(schema)).map((fault) => `${what}: ${fault}`),
    );
    expect(wrong).toEqual([]);
  });

  test("are kept as they are, and filled up where the description wants more", () => {
    const made = complete(run, { name: "deployability", conclusion: null, check_suite: { id: 5 } });
    expect(made).toMatchObject({ name: "deployability", conclusion: null, check_suite: { id: 5 }, status: "queued" });
    expect(faults(run, made)).toEqual([]);
  });

  test("are not believed: wrong types, wrong values, names that nobody knows", () => {
    const made = complete(ref, { ref: "refs/heads/main", object: { sha: 5 } });
    expect(faults(ref, made)).toEqual(["/object/sha must be string"]);
    expect(faults(run, complete(run, { status: "ended" }))[0]).toContain("/status must be equal to one of");
    expect(faults(run, isShape(made) ? { ...made, id: undefined } : {}).length).toBeGreaterThan(0);
    expect(unknownNames(ref, { ref: "x", objet: {}, object: { shaa: "1" } })).toEqual(["/objet", "/object/shaa"]);
  });
});

test.each([
  ["GET", "/repos/a/b/commits/feature/x/check-runs", "GET /repos/{owner}/{repo}/commits/{ref}/check-runs", "feature/x"],
  ["GET", "/repos/a/b/commits/feature%2Fx", "GET /repos/{owner}/{repo}/commits/{ref}", "feature/x"],
  ["GET", "/repos/a/b/git/matching-refs/heads/", "GET /repos/{owner}/{repo}/git/matching-refs/{ref}", "heads/"],
  ["GET", "/repos/a/b/installation", "GET /repos/{owner}/{repo}/installation", undefined],
])("%s %s leads to %s", (method, path, operation, ref) => {
  const found = new Router(routes).find(method, path);
  expect([found?.route.operation, found?.params["ref"]]).toEqual([operation, ref]);
});
