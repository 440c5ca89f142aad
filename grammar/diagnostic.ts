/**
 * Diagnostics are data. Passes collect them and go on; `grammar/render.ts` is the only place that turns
 * them into text.
 */
import type { Span } from './span.ts';

export interface Label {
  readonly span: Span;
  readonly text: string;
}

export interface Diagnostic {
  /** Stable: `ZKL1xx` lexis and syntax, `2xx` names, `3xx` indices and shapes, `4xx` numbers, `5xx` not lowered yet, `6xx` warnings. */
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** Short, lower case, without a full stop. */
  readonly title: string;
  /** The place the message is about. */
  readonly span: Span;
  /** What to print under the carets. */
  readonly label: string;
  /** Further places that explain it. */
  readonly notes?: readonly Label[];
  /** One remedy, in a sentence. */
  readonly help?: string;
  /** A replacement of text that would mend it. */
  readonly fix?: { readonly span: Span; readonly text: string };
}
