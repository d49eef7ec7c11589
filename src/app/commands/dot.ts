import { ask } from "../ask.ts";
import type { CommandSpec } from "../command.ts";
import { type Fields, fieldsOf, listOf, textOf } from "../fields.ts";
import { safeText } from "../safe-text.ts";

/** The graph in the language of Graphviz. */
export const dot: CommandSpec = {
  name: "dot",
  arguments: "",
  summary: "print the graph for Graphviz: millrace dot | dot -Tsvg",
  flags: ["url", "state", "tokenFile", "json"],
  run: (call) =>
    ask(
      call,
      (client) => client.get("graph"),
      (answer) => {
        for (const line of dotOf(fieldsOf(answer))) call.io.out(line);
      },
    ),
};

const COLOURS: Readonly<Record<string, string>> = {
  ok: "#90ee90",
  ready: "#ffff99",
  waiting: "#ffff99",
  running: "#ffd070",
  failed: "#ff8c80",
  blocked: "#e0e0e0",
};

function dotOf(graph: Fields): readonly string[] {
  const groups = new Map<string, Fields[]>();
  for (const node of listOf(graph["nodes"])) {
    const group = textOf(node, "group") ?? "";
    groups.set(group, [...(groups.get(group) ?? []), node]);
  }
  const clusters = [...groups].flatMap(([name, nodes], index) =>
    name === ""
      ? nodes.map(nodeLine)
      : [
          `  subgraph cluster_${index} {`,
          `    label=${quoted(name)};`,
          ...nodes.map((node) => `  ${nodeLine(node)}`),
          "  }",
        ],
  );
  const edges = listOf(graph["edges"]).map((edge) => {
    const style = edge["dashed"] === true ? " [style=dashed]" : "";
    return `  ${quoted(textOf(edge, "from") ?? "")} -> ${quoted(textOf(edge, "to") ?? "")}${style};`;
  });
  return [
    "digraph millrace {",
    "  rankdir=LR;",
    '  node [shape=box, style="filled,rounded"];',
    ...clusters,
    ...edges,
    "}",
  ];
}

function nodeLine(node: Fields): string {
  const state = textOf(node, "state") ?? "";
  const label = `${textOf(node, "label") ?? ""}\n${textOf(node, "word") ?? state}`;
  const colour = COLOURS[state] ?? "#ffffff";
  return `  ${quoted(textOf(node, "key") ?? "")} [label=${quoted(label)}, fillcolor="${colour}"];`;
}

/** @source Graphviz, The DOT Language: only the quote needs a backslash, and `\n` in a label breaks the line */
const quoted = (text: string): string => {
  const lines = text.split("\n").map((line) => safeText(line).replaceAll("\\", "\\\\").replaceAll('"', '\\"'));
  return `"${lines.join("\\n")}"`;
};
