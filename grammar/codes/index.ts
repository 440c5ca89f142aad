/** All codes of diagnostics: what each is about, with an example and its remedy. `zkl explain` prints them. */
import { arguments_ } from './arguments.ts';
import { definitions } from './definitions.ts';
import type { Entry, Holes } from './entry.ts';
import { indices } from './indices.ts';
import { numbers } from './numbers.ts';
import { places } from './places.ts';
import { proofs } from './proofs.ts';
import { shapes } from './shapes.ts';
import { syntax } from './syntax.ts';
import { tables } from './tables.ts';
import { gradients } from './training/gradients.ts';
import { optimizers } from './training/optimizers.ts';
import { warnings } from './warnings.ts';

/**
 * Stable: `ZKL1xx` lexis and syntax, `2xx` names, `3xx` indices and shapes, `4xx` numbers, `5xx` what cannot be proved yet and
 * what training asks for, `6xx` warnings.
 */
export const codes = {
  ...syntax,
  ...definitions,
  ...arguments_,
  ...places,
  ...indices,
  ...shapes,
  ...numbers,
  ...tables,
  ...proofs,
  ...gradients,
  ...optimizers,
  ...warnings,
};

export type Code = keyof typeof codes;

/** A code, and what stands in the holes of its title. */
export type Problem = {
  [C in Code]: Holes<(typeof codes)[C]['title']> extends never
    ? { readonly code: C; readonly about?: undefined }
    : {
        readonly code: C;
        readonly about: Readonly<Record<Holes<(typeof codes)[C]['title']>, string | number>>;
      };
}[Code];

export const entryOf = (code: Code): Entry => codes[code];

/** A title that is about nothing in particular: its holes in capitals. */
export const generalTitle = (code: Code): string =>
  codes[code].title.replace(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase());

/** The title of a diagnostic. */
export function titleOf({ code, about }: Problem): string {
  const values: Readonly<Record<string, string | number>> = about ?? {};
  return codes[code].title.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]));
}
