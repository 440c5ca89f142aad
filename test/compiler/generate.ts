/** Random programs for property tests: text that checks without errors, and inputs for it. */
import fc from 'fast-check';
import type { IntTensor } from '../../compiler/interpret/index.ts';

export interface GeneratedInput {
  readonly name: string;
  readonly shape: readonly number[];
  /** `fixed` with this many fraction bits, or an index tensor. */
  readonly kind: 'fixed' | 'index';
  readonly bits: number;
  readonly frac: number;
}

export interface GeneratedProgram {
  readonly text: string;
  readonly inputs: readonly { readonly input: GeneratedInput; readonly tensor: IntTensor }[];
}

interface Known {
  readonly name: string;
  readonly shape: readonly number[];
}

interface Variable {
  readonly name: string;
  readonly size: number;
}

/** Draws from a stream of numbers that fast-check shrinks; 0 is the simplest choice everywhere. */
class Draw {
  readonly #stream: readonly number[];
  #next = 0;
  #names = 0;

  constructor(stream: readonly number[]) {
    this.#stream = stream;
  }

  below(n: number): number {
    return (this.#stream[this.#next++ % this.#stream.length] ?? 0) % n;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)];
  }

  fresh(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }
}

/** A tensor's entry, read inside its bounds. */
function access(draw: Draw, { name, shape }: Known, variables: readonly Variable[], indices: readonly Known[]): string {
  if (shape.length === 0) return name;
  const axes = shape.map((length) => axis(draw, length, variables, indices));
  return `${name}[${axes.join(', ')}]`;
}

function axis(draw: Draw, length: number, variables: readonly Variable[], indices: readonly Known[]): string {
  const choices = [String(draw.below(length))];
  for (const { name, size } of variables) {
    if (size <= length) choices.push(name, `${length - 1} - ${name}`);
    choices.push(`${name} mod ${length}`, `(${name} + ${draw.below(5)}) mod ${length}`);
    if (Math.ceil(size / 2) <= length) choices.push(`${name} div 2`);
    if (size * 2 - 1 <= length) choices.push(`2 * ${name}`);
  }
  for (const index of indices)
    if (index.shape[1] === length && variables.length > 0) {
      const [own] = index.shape;
      choices.push(`${index.name}[${axis(draw, own, variables, [])}]`);
    }
  return draw.pick(choices.reverse());
}

function value(
  draw: Draw,
  depth: number,
  known: readonly Known[],
  variables: readonly Variable[],
  indices: readonly Known[],
): string {
  const inner = (more: readonly Variable[] = []): string =>
    value(draw, depth - 1, known, [...variables, ...more], indices);
  const entry = (): string => access(draw, draw.pick(known), variables, indices);
  if (depth === 0) return draw.pick([entry, entry, () => String(draw.below(7)), () => '0.75'])();
  const guarded = variables.filter((v) => v.size > 1);
  const comparison = (v: Variable): string => `${v.name} ${draw.pick(['<', '>='])} ${1 + draw.below(v.size - 1)}`;
  const forms: (() => string)[] = [
    entry,
    () => `(${inner()} + ${inner()})`,
    () => `(${inner()} - ${inner()})`,
    () => `${inner()} * ${inner()}`,
    () => `(-${inner()})`,
    () => `(${inner()}) / 3`,
    () => `(${inner()}) ^ 2`,
    () => {
      const v: Variable = { name: draw.fresh('s'), size: 2 + draw.below(3) };
      return `(sum(${v.name}: ${v.size}) ${inner([v])})`;
    },
    () => {
      const v: Variable = { name: draw.fresh('s'), size: 2 + draw.below(3) };
      return `(sum(${v.name}: ${v.size} if ${comparison(v)}) ${inner([v])})`;
    },
  ];
  if (guarded.length > 0) {
    forms.push(() => `(if ${comparison(draw.pick(guarded))} then ${inner()} else ${inner()})`);
    if (guarded.length > 1)
      forms.push(() => `(if ${comparison(guarded[0])} and ${comparison(guarded[1])} then ${inner()} else ${inner()})`);
    for (const index of indices) {
      const v = draw.pick(guarded);
      forms.push(() => `[${v.name} == ${index.name}[${axis(draw, index.shape[0], variables, [])}]] * ${inner()}`);
    }
  }
  return draw.pick(forms)();
}

const BLOCK = `block mix(p[N, M], const c) -> q[M, N] {
  r[i: N]       = sum(j: M) p[i, j]
  q[a: M, b: N] = c * p[b, a] + r[b] / M
}
`;

function build(stream: readonly number[]): GeneratedProgram {
  const draw = new Draw(stream);
  const inputs: GeneratedInput[] = [
    { name: 'x', shape: [2 + draw.below(2), 2 + draw.below(3)], kind: 'fixed', bits: 6, frac: 3 },
    { name: 'w', shape: [3], kind: 'fixed', bits: 4, frac: draw.below(3) - 1 },
    { name: 'c', shape: [], kind: 'fixed', bits: 5, frac: 0 },
    { name: 'pos', shape: [4], kind: 'index', bits: 3, frac: 0 },
  ];
  const known: Known[] = inputs.filter((input) => input.kind === 'fixed');
  // The second "length" of an index tensor is that of the axes it may stand in.
  const indices: Known[] = [{ name: 'pos', shape: [4, 3] }];
  const lines = inputs.map(({ name, shape, kind, bits, frac }) => {
    const axes = shape.length === 0 ? '' : `[${shape.join(', ')}]`;
    return `secret ${name}${axes}: ${kind === 'fixed' ? `fixed<${bits}, ${frac}>` : 'index<3>'}`;
  });
  const define = (): void => {
    const name = draw.fresh('d');
    const variables = Array.from({ length: draw.below(3) }, (): Variable => ({
      name: draw.fresh('i'),
      size: 2 + draw.below(3),
    }));
    const axes = variables.map((v) => `${v.name}: ${v.size}`).join(', ');
    const left = variables.length === 0 ? name : `${name}[${axes}]`;
    const exact = (): string => value(draw, 1 + draw.below(3), known, variables, indices);
    const small = (): string => value(draw, 1, known, variables, indices);
    const one = (): string => value(draw, 0, known, variables, indices);
    const forms: (() => string)[] = [
      exact,
      exact,
      () => `round<60, 5>(${small()})`,
      () => `round<60, 4>(${one()} / (1 / 4 + (${one()}) ^ 2))`,
      () => `round<60, 6>(sqrt((${one()}) ^ 2 + 1 / 8))`,
      () => `round<60, 3>((${one()}) / sqrt((${one()}) ^ 2 + 1 / 2))`,
      () => `1 + round<60, 2>(${small()}) * 2`,
    ];
    if (variables.length > 0) {
      const v: Variable = { name: draw.fresh('s'), size: 3 };
      forms.push(() => `max(${v.name}: 3) ${value(draw, 0, known, [...variables, v], indices)}`);
      forms.push(() => `argmax(${v.name}: 3) ${value(draw, 0, known, [...variables, v], indices)}`);
    }
    const right = draw.pick(forms)();
    lines.push(`${left} = ${right}`);
    known.push({ name, shape: variables.map((v) => v.size) });
  };
  const whole = (): void => {
    const matrices = known.filter((k) => k.shape.length === 2);
    const [from, name] = [draw.pick(matrices), draw.fresh('d')];
    const [n, m] = from.shape;
    const form = draw.below(4);
    const right = [
      `mix(${from.name}, ${1 + draw.below(4)})`,
      `${from.name} * c - 2 * ${from.name}`,
      `${from.name} as [${n * m}]`,
      `round<60, 4>(${from.name} as [${m}, ${n}] + mix(${from.name}, 0.5))`,
    ][form];
    lines.push(`${name} = ${right}`);
    known.push({ name, shape: [[m, n], [n, m], [n * m], [m, n]][form] });
  };
  for (let k = 2 + draw.below(4); k > 0; k--) draw.pick([define, define, whole])();
  known.slice(3).forEach(({ name }, k) => lines.push(`public o${k} = ${name}`));
  const text = `${BLOCK}model random {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;
  return {
    text,
    inputs: inputs.map((input) => {
      const size = input.shape.reduce((a, b) => a * b, 1);
      const draws = input.kind === 'index' ? 3 : 2 ** input.bits;
      const low = input.kind === 'index' ? 0 : 2 ** (input.bits - 1);
      const values = Array.from({ length: size }, () => BigInt(draw.below(draws) - low));
      return { input, tensor: { shape: input.shape, values } };
    }),
  };
}

/** A program of two to five equations over three tensors and an index tensor, with values for them. */
export const programs: fc.Arbitrary<GeneratedProgram> = fc
  .array(fc.nat({ max: 10_000 }), { minLength: 60, maxLength: 200 })
  .map(build);
