/** The order in which people count and spell: `layers.2` before `layers.10`. */

/** Of these, English collation knows a first difference only: `_`, `.`, numbers (which it cuts, beyond 254 digits), letters, in this order. */
const PLAIN = /^(?:[a-z._]|\d{1,200}(?!\d))*$/;
const PARTS = /\d+|\D/g;

let collator: Intl.Collator | undefined;

/** As English collation with numbers by their size, and by code units what that holds equal. */
export function naturally(a: string, b: string): number {
  if (PLAIN.test(a) && PLAIN.test(b)) return plainly(a, b) || (a < b ? -1 : 1);
  // Made only for names that need it: that takes longer than reading an adapter.
  collator ??= new Intl.Collator('en', { numeric: true });
  return collator.compare(a, b) || (a < b ? -1 : 1);
}

function plainly(a: string, b: string): number {
  const [left, right] = [a.match(PARTS) ?? [], b.match(PARTS) ?? []];
  for (let k = 0; k < left.length && k < right.length; k++) {
    const difference = compareParts(left[k], right[k]);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function compareParts(a: string, b: string): number {
  const kinds = rank(a) - rank(b);
  if (kinds !== 0) return kinds;
  if (rank(a) !== NUMBER) return a < b ? -1 : Number(a > b);
  const [m, n] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return m.length - n.length || (m < n ? -1 : Number(m > n));
}

const NUMBER = 2;
const rank = (part: string): number => (part === '_' ? 0 : part === '.' ? 1 : /^\d/.test(part) ? NUMBER : 3);
