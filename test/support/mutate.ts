/** Structured changes of decoded values: near misses for numbers, other kinds for the rest, lists with an item more or fewer. */
import { encode, type Plain } from '../../compiler/bundle/canonical.ts';
import type { Draw } from '../kit/draw.ts';

export type Path = readonly (string | number)[];

/** Every place in a value, with what stands there. */
export function places(value: Plain, path: Path = []): { path: Path; value: Plain }[] {
  const own = { path, value };
  if (Array.isArray(value)) return [own, ...(value as readonly Plain[]).flatMap((v, i) => places(v, [...path, i]))];
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
    return [own, ...Object.entries(value).flatMap(([k, v]) => places(v, [...path, k]))];
  return [own];
}

export function replaced(value: Plain, path: Path, by: Plain): Plain {
  if (path.length === 0) return by;
  const [key, ...rest] = path;
  if (Array.isArray(value)) return (value as readonly Plain[]).map((v, i) => (i === key ? replaced(v, rest, by) : v));
  return Object.fromEntries(
    Object.entries(value as Record<string, Plain>).map(([k, v]) => [k, k === key ? replaced(v, rest, by) : v]),
  );
}

export function mutation(value: Plain, draw: Draw): Plain {
  const others: Plain[] = [0, 1, -1, 3, 2 ** 31, 5n, '', 'output', 'defined', true, undefined, [], {}];
  if (typeof value === 'number')
    return draw.pick<Plain>([
      value + 1,
      value - 1,
      -value,
      2 * value,
      0,
      31,
      2 ** 40,
      2 ** 20,
      BigInt(Math.trunc(value)),
      'x',
    ]);
  if (typeof value === 'bigint') return draw.pick<Plain>([value + 1n, -value, 0n, 2n ** 260n, Number(value % 1000n)]);
  if (Array.isArray(value)) {
    const list = value as readonly Plain[];
    return draw.pick<Plain>([list.slice(1), [...list, ...list.slice(0, 1)], [...list].reverse(), [...list, 0], 0]);
  }
  return draw.pick(others);
}

/** One to three places changed. */
export function mutated(value: Plain, draw: Draw): Plain {
  for (let n = 1 + draw.below(3); n > 0; n--) {
    const { path, value: old } = draw.pick(places(value));
    value = replaced(value, path, mutation(old, draw));
  }
  return value;
}

/** Words that may stand for each other, by the key that they stand under. */
const alternatives: Readonly<Record<string, readonly (readonly string[])[]>> = {
  kind: [
    ['input', 'output'],
    ['floor', 'root'],
    ['isZero', 'after', 'select'],
    ['add', 'sub', 'mul'],
    ['div', 'mod'],
    ['max', 'argmax'],
  ],
  op: [['<', '<=', '==', '!=', '>=', '>']],
  form: [
    ['P', 'sqrt(P)'],
    ['P/Q', 'P/sqrt(Q)'],
  ],
  visibility: [['public', 'secret', 'open']],
  role: [['output', 'inner']],
};

/** One place of a value, and what stands there instead. */
export interface Alteration {
  readonly path: Path;
  readonly by: Plain;
}

/** The keys on the way to it, without positions in lists: `steps.terms.coefficient`. */
export const fieldOf = ({ path }: Alteration): string => path.filter((k) => typeof k === 'string').join('.');

/** All single changes of a value that keep its kind; `optional`: keys that may be left out. */
export function* alterations(value: Plain, optional: readonly string[], path: Path = []): Generator<Alteration> {
  const key = path.at(-1);
  const changed: Plain[] = [];
  if (typeof value === 'number') changed.push(value + 1, value - 1, ...(value === 0 ? [] : [-value]));
  if (typeof value === 'bigint') changed.push(value + 1n, ...(value === 0n ? [] : [-value]));
  if (typeof value === 'string') {
    const words = alternatives[String(key)];
    changed.push(
      ...(words?.find((group) => group.includes(value))?.filter((w) => w !== value) ?? (words ? [] : [`${value}x`])),
    );
  }
  if (Array.isArray(value)) {
    const list = value as readonly Plain[];
    const bytes = list.map((v) => encode(v).join());
    for (const i of list.keys()) {
      changed.push(list.filter((_, j) => j !== i));
      if (i > 0 && bytes[i] !== bytes[i - 1])
        changed.push([...list.slice(0, i - 1), list[i], list[i - 1], ...list.slice(i + 1)]);
    }
  }
  if (typeof key === 'string' && optional.includes(key)) changed.push(undefined);
  for (const by of changed) yield { path, by };
  if (Array.isArray(value))
    for (const [i, v] of (value as readonly Plain[]).entries()) yield* alterations(v, optional, [...path, i]);
  else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
    for (const [k, v] of Object.entries(value)) yield* alterations(v, optional, [...path, k]);
}
