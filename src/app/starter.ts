/** What `millrace init` writes. `own` files must not exist yet; `shared` ones are left alone when they do. */
export const starterFiles: readonly {
  readonly name: string;
  readonly kind: "own" | "shared";
  readonly text: string;
}[] = [
  {
    name: "pipeline.ts",
    kind: "own",
    text: `// What is deployed, from which branch, to where. This file is data: it is read, never run as a program.
// Your editor completes every word; \`npx millrace check\` tells what is wrong, line by line.
${using(["deployer", "docker", "from", "git", "publish", "swarm"], "millrace")}
${using(["here"], "./contexts/hosts.ts")}

export default deployer({
  // A flavour: the share of this file that one \`millrace serve\` runs.
  main: {
    // url: "https://deploy.example.org",   // where its pages are reached from outside
    repos: {
      // owner/name → where its commits come from, and what is built of them.
      "me/hello": from(
        git("./hello"), // a path beside this file (watched), or any URL that git reads
        docker("Dockerfile", {
          // Push to the branch "live": the image is built, pushed under this tag, and the service is moved to it.
          live: publish("127.0.0.1:5000/me/hello:live", swarm(here, "hello")),
        }),
      ),
      // Several images of one repository, with options:
      // "me/shop": from(git("https://git.example.org/shop.git"), [
      //   docker.with({ buildArgs: { MODE: "production" }, timeout: "20m" })("Dockerfile", {
      //     main: publish("registry.example.org/me/shop:live", swarm(here, "shop_web", "https://shop.example.org")),
      //   }),
      //   docker("Dockerfile.tools"), // checked, deployed nowhere
      // ]),
    },
  },
});
`,
  },
  {
    name: "contexts/hosts.ts",
    kind: "own",
    text: `// The machines that services run on, one exported name each.
// "here" is the Docker engine that Millrace itself uses (--docker-host, DOCKER_HOST, or the local socket).
${using(["here"], "millrace").replace("import", "export")}
`,
  },
  {
    name: "tsconfig.json",
    kind: "shared",
    text: `{
  "compilerOptions": {
    "target": "es2023",
    "module": "preserve",
    "strict": true,
    "noEmit": true,
    "allowImportingTsExtensions": true,
    "skipLibCheck": true,
    "types": []
  },
  "include": ["pipeline.ts", "contexts"]
}
`,
  },
  {
    name: ".gitignore",
    kind: "shared",
    text: `node_modules/
# state of millrace: database, logs, token
var/
`,
  },
  {
    name: "package.json",
    kind: "shared",
    text: `{
  "private": true,
  "type": "module"
}
`,
  },
];

/** A line of the starter. Written out here it would be taken for an import of this file. */
function using(names: readonly string[], module: string): string {
  return ["import {", names.join(", "), "}", "from", `"${module}";`].join(" ");
}
