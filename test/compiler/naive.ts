/**
 * A second reading of the language, from the syntax tree alone: rationals, no scales, no ranges, no normal forms, every
 * reduction a loop. What the checker and the interpreter make of a program has to agree with it.
 */
import type * as ast from '../../grammar/ast.ts';
import { parse } from '../../grammar/index.ts';
import type { Rational } from '../../compiler/ir/tensor/program.ts';
import {
  ZERO,
  add,
  compare,
  divide,
  multiply,
  negate,
  parseDecimal,
  power,
  rational,
} from '../../compiler/ir/numbers/rational.ts';

export interface Dense {
  readonly shape: readonly number[];
  readonly values: readonly Rational[];
}

type Env = Map<string, Dense | number>;
type Point = readonly number[];

/** P/Q, sqrt(P), P/sqrt(Q) are kept apart so that a root can be rounded exactly. */
interface Root {
  readonly top: Rational;
  readonly under: Rational;
}

const size = (shape: readonly number[]): number => shape.reduce((n, length) => n * length, 1);

function at(tensor: Dense, index: Point): Rational {
  const position = index.reduce((n, i, k) => {
    if (i < 0 || i >= tensor.shape[k]) throw new Error('outside');
    return n * tensor.shape[k] + i;
  }, 0);
  return tensor.values[position];
}

function* points(shape: readonly number[]): Generator<number[]> {
  for (let n = 0; n < size(shape); n++) {
    const index: number[] = [];
    let rest = n;
    for (const length of [...shape].reverse()) {
      index.unshift(rest % length);
      rest = Math.floor(rest / length);
    }
    yield index;
  }
}

/** Every named tensor of the file's only model. Axes of equations are annotated in the programs this reads. */
export function evaluateNaively(text: string, inputs: ReadonlyMap<string, Dense>): Map<string, Dense> {
  const { program } = parse(text, 'naive');
  const blocks = new Map(program.items.filter((i) => i.kind === 'block').map((b) => [b.name.text, b]));
  const model = program.items.find((i) => i.kind === 'model');
  if (model === undefined) throw new Error('no model');
  const env: Env = new Map(inputs);
  new Naive(blocks).statements(model.body, env);
  return new Map([...env].filter((e): e is [string, Dense] => typeof e[1] !== 'number'));
}

class Naive {
  readonly #blocks: ReadonlyMap<string, ast.Block>;

  constructor(blocks: ReadonlyMap<string, ast.Block>) {
    this.#blocks = blocks;
  }

  statements(body: readonly ast.Statement[], env: Env): void {
    for (const node of body) {
      if (node.kind === 'dims') for (const dim of node.dims) env.set(dim.name.text, this.#index(dim.value, env));
      if (node.kind === 'define' || node.kind === 'output') env.set(node.name.text, this.#define(node, env));
      if (node.kind === 'repeat')
        for (let step = 0; step < this.#index(node.count, env); step++) {
          const inner: Env = new Map(env).set(node.index.text, step);
          this.statements(node.body, inner);
          for (const [name, value] of inner) if (name.endsWith("'")) env.set(name.slice(0, -1), value);
        }
    }
  }

  #define(node: ast.Define | ast.Output, env: Env): Dense {
    if (node.axes.length === 0) return this.#whole(node.value, env);
    const names = node.axes.map((axis) => (axis.index.kind === 'reference' ? axis.index.name.text : '?'));
    const shape = node.axes.map((axis) => this.#index(axis.range ?? axis.index, env));
    const values = [...points(shape)].map((point) => {
      const inner: Env = new Map(env);
      names.forEach((name, k) => inner.set(name, point[k]));
      return this.#value(node.value, inner);
    });
    return { shape, values };
  }

  /** A value between whole tensors. */
  #whole(node: ast.Value, env: Env): Dense {
    if (node.kind === 'reference') {
      const found = env.get(node.name.text);
      if (typeof found === 'object') return found;
    }
    if (node.kind === 'view') {
      const { values } = this.#whole(node.operand, env);
      return { shape: node.shape.map((axis) => this.#index(axis.index, env)), values };
    }
    if (node.kind === 'binary') {
      const [left, right] = [this.#whole(node.left, env), this.#whole(node.right, env)];
      const shape = left.shape.length > 0 ? left.shape : right.shape;
      const entry = (side: Dense, k: number): Rational => side.values[side.shape.length > 0 ? k : 0];
      const values = Array.from({ length: size(shape) }, (_, k) =>
        apply(node.operator, entry(left, k), entry(right, k)),
      );
      return { shape, values };
    }
    if (node.kind === 'negate') {
      const { shape, values } = this.#whole(node.operand, env);
      return { shape, values: values.map(negate) };
    }
    const [argument] = node.kind === 'call' ? node.arguments.map((a) => a.value) : [];
    const quotient = argument?.kind === 'binary' && argument.operator === '/';
    const root = argument?.kind === 'call' && argument.name.text === 'sqrt';
    if (node.kind === 'call' && node.name.text === 'round' && !quotient && !root) {
      const { shape, values } = this.#whole(node.arguments[0].value, env);
      return { shape, values: values.map((v) => roundRational(v, this.#index(node.dims[1].value, env))) };
    }
    if (node.kind === 'call' && node.name.text !== 'round') return this.#call(node, env);
    return { shape: [], values: [this.#value(node, env)] };
  }

  #call(node: ast.Call, env: Env): Dense {
    const block = this.#blocks.get(node.name.text);
    if (block === undefined) throw new Error(`no block ${node.name.text}`);
    const inner: Env = new Map();
    block.dims.forEach((dim, k) => inner.set(dim.text, this.#index(node.dims[k].value, env)));
    block.params.forEach((param, k) => {
      const { value } = node.arguments[k];
      if (param.kind === 'const-parameter')
        inner.set(param.name.text, { shape: [], values: [this.#value(value, env)] });
      if (param.kind !== 'tensor') return;
      const given = this.#whole(value, env);
      inner.set(param.name.text, given);
      param.axes.forEach((axis, j) => {
        if (axis.index.kind === 'reference') inner.set(axis.index.name.text, given.shape[j]);
      });
    });
    this.statements(block.body, inner);
    const result = inner.get(block.results[0].name.text);
    if (typeof result !== 'object') throw new Error('no result');
    return result;
  }

  #value(node: ast.Value, env: Env): Rational {
    switch (node.kind) {
      case 'number':
        return parseDecimal(node.text) ?? ZERO;
      case 'reference': {
        const found = env.get(node.name.text);
        return typeof found === 'object' ? found.values[0] : rational(found ?? NaN);
      }
      case 'access': {
        const tensor = env.get(node.name.text);
        if (typeof tensor !== 'object') throw new Error(`no tensor ${node.name.text}`);
        return at(
          tensor,
          node.axes.map((axis) => this.#index(axis.index, env)),
        );
      }
      case 'negate':
        return negate(this.#value(node.operand, env));
      case 'binary':
        return apply(node.operator, this.#value(node.left, env), this.#value(node.right, env));
      case 'power':
        return power(this.#value(node.base, env), this.#value(node.exponent, env).num);
      case 'conditional':
        return this.#value(this.#holds(node.guard, env) ? node.then : node.else, env);
      case 'indicator':
        return rational(this.#holds(node.guard, env) ? 1 : 0);
      case 'reduce':
        return this.#reduce(node, env);
      case 'call':
        return this.#round(node, env);
      case 'view':
        throw new Error('a view under indices');
    }
  }

  #reduce(node: ast.Reduce, env: Env): Rational {
    const names = node.axes.map((axis) => (axis.index.kind === 'reference' ? axis.index.name.text : '?'));
    const shape = node.axes.map((axis) => this.#index(axis.range ?? axis.index, env));
    let sum = ZERO;
    let best: Rational | undefined;
    let where = 0;
    for (const point of points(shape)) {
      const inner: Env = new Map(env);
      names.forEach((name, k) => inner.set(name, point[k]));
      if (node.guard !== undefined && !this.#holds(node.guard, inner)) continue;
      const value = this.#value(node.body, inner);
      sum = add(sum, value);
      if (best !== undefined && compare(value, best) <= 0) continue;
      best = value;
      [where] = point;
    }
    if (node.operator === 'sum') return sum;
    return node.operator === 'argmax' ? rational(where) : (best ?? ZERO);
  }

  /** `round<b, f>(P)`, `round<b, f>(sqrt(P))`, `round<b, f>(P / sqrt(Q))`. */
  #round(node: ast.Call, env: Env): Rational {
    const frac = this.#index(node.dims[1].value, env);
    const { value } = node.arguments[0];
    const root = this.#root(value, env);
    if (root === undefined) return roundRational(this.#value(value, env), frac);
    return nearestRoot(root, frac);
  }

  #root(node: ast.Value, env: Env): Root | undefined {
    const under = (side: ast.Value): Rational | undefined =>
      side.kind === 'call' && side.name.text === 'sqrt' ? this.#value(side.arguments[0].value, env) : undefined;
    const whole = under(node);
    if (whole !== undefined) return { top: rational(1), under: whole };
    const divisor = node.kind === 'binary' && node.operator === '/' ? under(node.right) : undefined;
    if (node.kind !== 'binary' || divisor === undefined) return undefined;
    return { top: this.#value(node.left, env), under: divide(rational(1), divisor) };
  }

  #holds(guard: ast.Guard, env: Env): boolean {
    return guard.comparisons.every(({ operator, left, right }) => {
      const [a, b] = [this.#index(left, env), this.#index(right, env)];
      const tests = { '<': a < b, '<=': a <= b, '==': a === b, '!=': a !== b, '>=': a >= b, '>': a > b };
      return tests[operator];
    });
  }

  #index(node: ast.Index, env: Env): number {
    switch (node.kind) {
      case 'number':
        return Number(node.text);
      case 'reference': {
        const found = env.get(node.name.text);
        if (found === undefined) throw new Error(`no index ${node.name.text}`);
        return typeof found === 'number' ? found : Number(found.values[0].num);
      }
      case 'access': {
        const tensor = env.get(node.name.text);
        if (typeof tensor !== 'object') throw new Error(`no tensor ${node.name.text}`);
        return Number(
          at(
            tensor,
            node.axes.map((axis) => this.#index(axis.index, env)),
          ).num,
        );
      }
      case 'index-negate':
        return -this.#index(node.operand, env);
      case 'index-binary': {
        const [a, b] = [this.#index(node.left, env), this.#index(node.right, env)];
        const floor = Math.floor(a / b);
        return { '+': a + b, '-': a - b, '*': a * b, '/': a / b, div: floor, mod: a - b * floor }[node.operator];
      }
    }
  }
}

function apply(operator: ast.Binary['operator'], a: Rational, b: Rational): Rational {
  if (operator === '+') return add(a, b);
  if (operator === '-') return add(a, negate(b));
  return operator === '*' ? multiply(a, b) : divide(a, b);
}

const half = rational(1, 2);

/** floor(v * 2^frac + 1/2) * 2^-frac, by the definition. */
function roundRational(v: Rational, frac: number): Rational {
  const unit = power(rational(2), BigInt(frac));
  const { num, den } = add(multiply(v, unit), half);
  const down = num >= 0n ? num / den : -((-num + den - 1n) / den);
  return divide(rational(down), unit);
}

/** The same for top * sqrt(under), by searching for the integer. */
function nearestRoot({ top, under }: Root, frac: number): Rational {
  const unit = power(rational(2), BigInt(frac));
  const square = multiply(multiply(multiply(top, top), under), multiply(unit, unit));
  // The largest n with n - 1/2 <= s, where s = ± sqrt(square): compared by squares.
  const below = (n: bigint): boolean => {
    const edge = add(rational(n), negate(half));
    const edgeSquare = multiply(edge, edge);
    if (top.num >= 0n) return edge.num <= 0n || compare(edgeSquare, square) <= 0;
    return edge.num <= 0n && compare(edgeSquare, square) >= 0;
  };
  let low = -(1n << 80n);
  let high = 1n << 80n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (below(middle)) low = middle;
    else high = middle;
  }
  return divide(rational(low), unit);
}
