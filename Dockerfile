# Millrace as an image: docker build -t millrace .
#
#   docker run -p 127.0.0.1:8080:8080 -v millrace-state:/state -v "$PWD":/pipeline:ro \
#     -v /var/run/docker.sock:/var/run/docker.sock millrace

FROM node:20-bookworm-slim AS build
RUN apt-get update \
  && apt-get install -y --no-install-recommends python3 make g++ \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY scripts scripts
RUN node scripts/packages.mjs
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN node scripts/build.mjs && npm prune --omit=dev

FROM node:20-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates git openssh-client tini \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/millrace
COPY --from=build /src/package.json ./
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/dist dist
RUN ln -s /opt/millrace/dist/app/main.js /usr/local/bin/millrace
# pipeline.ts and contexts/ are mounted at /pipeline; everything that has to be kept is in /state
WORKDIR /pipeline
VOLUME /state
EXPOSE 8080
ENTRYPOINT ["tini", "--", "millrace"]
CMD ["serve", "--state", "/state", "--host", "0.0.0.0"]
