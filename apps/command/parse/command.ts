/** What a command is: a description that costs nothing to load, and a body that is loaded when it runs. */
import type { Arguments } from './arguments.ts';
import type { Progress } from '../show/progress.ts';

export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  /** What the value is, in capitals; absent for a flag. */
  readonly value?: string;
  /** May be given several times. */
  readonly many?: boolean;
  readonly required?: boolean;
  /** Not required beside an option of these names. */
  readonly unless?: readonly string[];
  /** Not required, but shown in the usage line. */
  readonly usual?: boolean;
  readonly help: string;
}

export interface CommandSpec {
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  readonly positionals: readonly { readonly name: string; readonly help: string; readonly optional?: boolean }[];
  readonly options: readonly OptionSpec[];
  /** Further lines for `--help`. */
  readonly notes: readonly string[];
  readonly example: string;
  readonly load: () => Promise<{ readonly run: Run }>;
}

export type Run = (args: Arguments, progress: Progress) => Promise<Outcome>;

export type Json = string | number | boolean | null | undefined | readonly Json[] | { readonly [key: string]: Json };

export interface Outcome {
  /** 1: rejected, not formatted, or the program has errors. */
  readonly exit: 0 | 1;
  /** For people. Goes to stdout if exit is 0 or `onStdout`, else to stderr. */
  readonly text: string;
  readonly onStdout?: boolean;
  /** The text has colours of ours, and nothing else that a terminal would act on. */
  readonly coloured?: boolean;
  /** The command's product went to stdout: what it says of it goes to stderr. */
  readonly wroteStdout?: boolean;
  /** For programs: the members of the one object that `--json` prints, besides `ok`. */
  readonly json: { readonly [key: string]: Json };
}
