import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LogScrubber } from "../../src/engine/log-scrubber.ts";
import { MASK, Secret, scrub } from "../../src/engine/secret.ts";

/** Texts of few letters, so that secrets nest, overlap and repeat. */
const letters = fc.string({ unit: fc.constantFrom("a", "b", "\u00e9", "\u{1f600}"), minLength: 4, maxLength: 9 });
const wide = fc.string({ unit: "grapheme", minLength: 4, maxLength: 40 });

const learn = (value: string): Secret => new Secret(value);

function streamed(text: string, cuts: readonly number[]): string {
  const scrubber = new LogScrubber();
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b), text.length];
  const chunks = places.slice(1).map((place, index) => text.slice(places[index], place));
  return chunks.map((chunk) => scrubber.push(chunk)).join("") + scrubber.end();
}

const cutsOf = fc.array(fc.nat(), { maxLength: 12 });

describe("a stream is scrubbed as the whole would be", () => {
  test("no secret comes through, however it is cut", () => {
    fc.assert(
      fc.property(
        fc.array(letters, { minLength: 1, maxLength: 3 }),
        fc.array(letters),
        cutsOf,
        (values, noise, cuts) => {
          for (const value of values) learn(value);
          const text = noise.flatMap((part, index) => [part, values[index % values.length] ?? ""]).join("");
          const clean = streamed(text, cuts);
          expect(clean).toBe(scrub(text));
          for (const value of values) expect(clean.replaceAll(MASK, "\0")).not.toContain(value);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("text without secrets is unchanged, however it is cut", () => {
    fc.assert(
      fc.property(wide, cutsOf, (text, cuts) => {
        fc.pre(scrub(text) === text);
        expect(streamed(text, cuts)).toBe(text);
      }),
    );
  });

  test("only what may become a secret is kept back", () => {
    learn("correct horse");
    const scrubber = new LogScrubber();
    expect(scrubber.push("the corr")).toBe("the ");
    expect(scrubber.push("al")).toBe("corral");
    expect(scrubber.push(" correct")).toBe(" ");
    expect(scrubber.push(" horses")).toBe(`${MASK}s`);
    expect(scrubber.push("cor")).toBe("");
    expect(scrubber.end()).toBe("cor");
  });

  test("secrets that overlap leave nothing of either, and a long one within an endless run is one mask", () => {
    learn("xyzzy-1234");
    learn("1234-plugh");
    learn("qqqq");
    expect(streamed("[xyzzy-1234-plugh]", [4, 9, 12])).toBe(`[${MASK}]`);
    expect(streamed(`<${"q".repeat(100)}>`, [3, 50, 51, 90])).toBe(`<${MASK}>`);
  });
});

describe("the forms of a secret", () => {
  const secret = 'p\u00e4ss w\u00f6rd/"42"&more';
  learn(secret);
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  test.each([
    ["plain", secret],
    ["base64", base64(secret)],
    ["base64 of user:password", base64(`user:${secret}`)],
    ["base64 within JSON", base64(JSON.stringify({ u: "abc" }) + secret)],
    ["base64 with more behind", base64(`ab${secret}cd`)],
    ["in a URL", `https://u:${encodeURIComponent(secret)}@host`],
    ["in JSON", JSON.stringify({ secret })],
  ])("%s is masked", (_name, text) => {
    const clean = scrub(text);
    expect(clean).toContain(MASK);
    expect(clean).not.toContain(secret.slice(0, 6));
    const remains = Buffer.from(clean.replaceAll(MASK, ""), "base64").toString();
    expect(remains).not.toContain("more");
  });
});
