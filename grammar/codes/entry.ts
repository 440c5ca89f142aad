/** What one code of a diagnostic stands for. */

/** What is given to the compiler besides the text of a program. */
export interface Given {
  readonly model?: string;
  readonly overrides?: Readonly<Record<string, number | string>>;
  readonly calibration?: Readonly<Record<string, { readonly bits: number; readonly frac: number }>>;
}

/** One problem. Its example has this problem and no other; the mended example has none. */
export interface Entry {
  /** Short, lower case, without a full stop; `{name}` stands for what a diagnostic is about. */
  readonly title: string;
  /** Why it is a problem: one or two sentences. */
  readonly meaning: string;
  /** What to do, in the imperative. */
  readonly remedy: string;
  /** A whole program. */
  readonly example: string;
  /** Texts of the example, each of them there once, and what they become. */
  readonly mend?: readonly (readonly [from: string, to: string])[];
  /** Given with the example; `mendedGiven` with what it becomes, where that differs. */
  readonly given?: Given;
  readonly mendedGiven?: Given;
  /** Files that the example imports, by the name in its `import`. */
  readonly files?: Readonly<Record<string, string>>;
  /** Told by `check` already, of what cannot be proved for another reason: the example is checked and not lowered. */
  readonly checkOnly?: boolean;
}

/** Entries with the texts of their titles as types, so that a diagnostic has to fill their holes. */
export const entries = <const T extends Readonly<Record<string, Entry>>>(table: T): T => table;

/** The names in braces in a title. */
export type Holes<Title extends string> = Title extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Holes<Rest>
  : never;
