/** In which way a tensor depends on the secrets, and what becomes of that in sums, products and roundings. */

/**
 * How a tensor depends on the secrets:
 *   none      not at all;
 *   choice    through nothing but which of several entries is the largest;
 *   selected  through nothing but which entries a secret index picks;
 *   linear    sums of secrets with known coefficients;
 *   product   a polynomial in the secrets with known coefficients;
 *   function  anything else: tables, quotients, roots, maxima.
 */
export type Form = 'none' | 'choice' | 'selected' | 'linear' | 'product' | 'function';

export interface Dependence {
  readonly form: Form;
  /** Whether something was rounded or cut off on the way, of `linear` and `product`. */
  readonly rounded: boolean;
  /** Tensors of the program: committed secrets, and inputs that are neither public nor from a source. */
  readonly secrets: ReadonlySet<number>;
  /** Public inputs and other outputs. */
  readonly publics: ReadonlySet<number>;
  /**
   * Of `linear` and `product`: for every product of public tensors that secrets are multiplied by (numbers joined by "*",
   * '' for none) how many unknown coefficients such products have in one entry, at most.
   */
  readonly unknowns: ReadonlyMap<string, number>;
  /** Axes along which the unknown coefficients are the same and the public tensors are not: rows of an input. */
  readonly rows: ReadonlySet<number>;
  /** Of `choice`: bits of each tensor of choices on the way, at most. */
  readonly bits: ReadonlyMap<number, number>;
  /** How many entries of the secrets are read, at most, and whether every entry reads one alone. Of `linear`. */
  readonly entries: number;
  readonly alone: boolean;
}

const none: ReadonlySet<number> = new Set();
export const nothing: Dependence = {
  form: 'none',
  rounded: false,
  secrets: none,
  publics: none,
  unknowns: new Map(),
  rows: none,
  bits: new Map(),
  entries: 0,
  alone: false,
};

export const size = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** Beyond these, what is known about a polynomial is that it is a function. */
const MAX_DEGREE = 2;
const MAX_PRODUCTS = 16;

/** Rounded or cut off entry by entry: a polynomial is one still, but for the rounding. */
export const asRounded = (d: Dependence): Dependence =>
  d.form === 'linear' || d.form === 'product' ? { ...d, rounded: true } : d;

/** A function of a choice is a choice. */
export const asFunction = (d: Dependence): Dependence =>
  d.form === 'linear' || d.form === 'product'
    ? { ...d, form: 'function', rounded: true, unknowns: nothing.unknowns, alone: false }
    : d;

export function sum(parts: readonly Dependence[], shape: readonly number[]): Dependence {
  const publics = unionAll(parts.map((d) => d.publics));
  const hidden = parts.filter((d) => d.form !== 'none');
  if (hidden.length === 0) return { ...nothing, publics };
  if (hidden.length === 1) return { ...hidden[0], publics };
  const forms = new Set(hidden.map((d) => d.form));
  const form: Form = forms.size === 1 ? hidden[0].form : joined(forms);
  const unknowns = new Map<string, number>();
  for (const d of hidden) for (const [key, n] of d.unknowns) unknowns.set(key, Math.max(n, unknowns.get(key) ?? 0));
  return limited({
    form,
    rounded: hidden.some((d) => d.rounded),
    secrets: unionAll(hidden.map((d) => d.secrets)),
    publics,
    unknowns,
    rows: unionAll(hidden.map((d) => d.rows)),
    bits: new Map(hidden.flatMap((d) => [...d.bits])),
    entries: Math.min(
      hidden.reduce((n, d) => n + d.entries, 0),
      size(shape),
    ),
    alone: false,
  });
}

/** Of parts of several forms: known polynomials stay one, and what a secret index picks is one in its selector. */
const joined = (forms: ReadonlySet<Form>): Form =>
  forms.has('function') || forms.has('choice') ? 'function' : 'product';

/** Of hidden factors. */
export function product(hidden: readonly Dependence[]): Dependence {
  if (hidden.length === 1) return hidden[0];
  const forms = new Set(hidden.map((d) => d.form));
  let unknowns = new Map<string, number>([['', 1]]);
  for (const d of hidden) {
    // A selector has no public factor.
    const own = d.unknowns.size > 0 ? d.unknowns : new Map([['', 1]]);
    const next = new Map<string, number>();
    for (const [a, n] of unknowns) for (const [b, m] of own) next.set(joinKeys(a, b), n * m);
    unknowns = next;
  }
  const same = forms.size === 1 && (forms.has('choice') || forms.has('selected'));
  return limited({
    form: same ? hidden[0].form : joined(forms),
    rounded: hidden.some((d) => d.rounded),
    secrets: unionAll(hidden.map((d) => d.secrets)),
    publics: unionAll(hidden.map((d) => d.publics)),
    unknowns,
    rows: none,
    bits: new Map(hidden.flatMap((d) => [...d.bits])),
    entries: hidden.reduce((n, d) => n + d.entries, 0),
    alone: false,
  });
}

export const joinKeys = (a: string, b: string): string =>
  [...a.split('*'), ...b.split('*')].filter((k) => k !== '').join('*');

export const limited = (d: Dependence): Dependence => {
  if (d.form !== 'linear' && d.form !== 'product') return { ...d, unknowns: nothing.unknowns };
  const degree = Math.max(...[...d.unknowns.keys()].map((k) => k.split('*').length));
  return degree > MAX_DEGREE || d.unknowns.size > MAX_PRODUCTS ? asFunction(d) : d;
};

export const union = (a: ReadonlySet<number>, b: ReadonlySet<number>): ReadonlySet<number> =>
  a.size === 0 || a === b ? b : b.size === 0 ? a : new Set([...a, ...b]);
export const unionAll = (sets: readonly ReadonlySet<number>[]): ReadonlySet<number> => sets.reduce(union, none);
