/** A stretch of source text: which file, and the half-open range [start, end) of UTF-16 offsets in it. */
export interface Span {
  /** The name the file goes by in messages, as given by the caller. */
  readonly source: string;
  readonly start: number;
  readonly end: number;
}

/** Line and column from 1. */
export function position(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - (before.lastIndexOf('\n') + 1) + 1 };
}
