/** A stretch of source text: which file, and the half-open range [start, end) of UTF-16 offsets in it. */
export interface Span {
  /** The name the file goes by in messages, as given by the caller. */
  readonly source: string;
  readonly start: number;
  readonly end: number;
}
