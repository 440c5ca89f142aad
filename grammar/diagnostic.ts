/**
 * Diagnostics are data. Passes collect them and go on; `grammar/render.ts` is the only place that turns
 * them into text.
 */
import { titleOf, type Code, type Problem } from './codes/index.ts';
import type { Span } from './span.ts';

export interface Label {
  readonly span: Span;
  readonly text: string;
}

/** What a diagnostic says besides its title. */
export interface Details {
  /** The place the message is about. */
  readonly span: Span;
  /** What to print under the carets. */
  readonly label: string;
  /** Further places that explain it. */
  readonly notes?: readonly Label[] | undefined;
  /** One remedy, in a sentence. */
  readonly help?: string | undefined;
  /** A replacement of text that would mend it. */
  readonly fix?: { readonly span: Span; readonly text: string } | undefined;
}

export interface Diagnostic extends Details {
  /** Stable; `codes/` says what each is about. */
  readonly code: Code;
  readonly severity: 'error' | 'warning';
  /** Short, lower case, without a full stop. */
  readonly title: string;
}

/** The diagnostic of a problem: the code says title and severity. */
export function diagnose(problem: Problem & Details): Diagnostic {
  const { code, span, label, notes, help, fix } = problem;
  return {
    code,
    severity: code.startsWith('ZKL6') ? 'warning' : 'error',
    title: titleOf(problem),
    span,
    label,
    ...(notes === undefined ? {} : { notes }),
    ...(help === undefined ? {} : { help }),
    ...(fix === undefined ? {} : { fix }),
  };
}
