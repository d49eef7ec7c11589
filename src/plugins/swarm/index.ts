export { listServices, type SwarmSeen, type SwarmSpec } from "./observe.ts";
export type { Credentials, EngineClient, SwarmPorts } from "./port.ts";
export type { SwarmRef, SwarmWanted } from "./ref.ts";
export { swarmKind } from "./service.ts";
