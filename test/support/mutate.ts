/** Structured changes of decoded values: near misses for numbers, other kinds for the rest, lists with an item more or fewer. */
import type { Plain } from '../../compiler/bundle/canonical.ts';
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
