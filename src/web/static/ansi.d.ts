/** A piece of text in one look; `classes` are names of `log.css`, "" for plain. */
export interface LogSpan {
  readonly text: string;
  readonly classes: string;
}

export interface LogLine {
  /** Written by Millrace itself, not by what it ran. */
  readonly ours: boolean;
  readonly spans: readonly LogSpan[];
}

/** Colours and weights in force; plain JSON. */
export type LogStyle = Readonly<Record<string, number | boolean>>;

/** See ansi.js. */
export declare class LogParser {
  constructor(style?: LogStyle);
  push(text: string): LogLine[];
  pending(): LogLine | undefined;
  style(): LogStyle;
}
