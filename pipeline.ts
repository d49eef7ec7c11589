// What this deployer does, as data. `npm run demo` sets up everything that is named here; doc/pipeline.md explains it.
import { deployer, docker, from, git, publish, swarm } from "millrace";
import { here } from "./contexts/hosts.ts";

export default deployer({
  demo: {
    repos: {
      "demo/hello": from(
        git("./.demo/hello.git"),
        docker("Dockerfile", {
          live: publish("127.0.0.1:5055/demo/hello:live", swarm(here, "millrace-demo_hello", "http://127.0.0.1:8088")),
        }),
      ),
    },
  },
});
