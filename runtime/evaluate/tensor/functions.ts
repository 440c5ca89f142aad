/** The functions that tables tabulate, in float64. */
import type { RealExpression, Table } from '../../../compiler/ir/tensor/program.ts';
import { toNumber } from '../../../compiler/ir/numbers/rational.ts';

/**
 * The function of a table, clamped to its domain where it saturates. A table whose body is no expression of its argument
 * is drawn through its values by straight lines.
 */
export function realFunction(table: Table): (x: number) => number {
  const f = table.of === undefined ? interpolation(table) : compile(table.of);
  if (!table.saturate) return f;
  const unit = unitOf(table.argument);
  const [lo, hi] = [Number(table.first) * unit, (Number(table.first) + table.values.length - 1) * unit];
  return (x) => f(Math.min(Math.max(x, lo), hi));
}

const unitOf = (type: Table['argument']): number => (type.kind === 'index' ? 1 : 2 ** -type.frac);

function interpolation({ argument, result, first, values }: Table): (x: number) => number {
  const entries = Float64Array.from(values, (v) => Number(v) * unitOf(result));
  const last = entries.length - 1;
  return (x) => {
    const at = Math.min(Math.max(x / unitOf(argument) - Number(first), 0), last);
    const k = Math.min(Math.floor(at), Math.max(0, last - 1));
    return last === 0 ? entries[0] : entries[k] + (at - k) * (entries[k + 1] - entries[k]);
  };
}

function compile(e: RealExpression): (x: number) => number {
  switch (e.kind) {
    case 'argument':
      return (x) => x;
    case 'number': {
      const value = toNumber(e.value);
      return () => value;
    }
    case 'apply': {
      const of = compile(e.of);
      const f = FUNCTIONS[e.function];
      return (x) => f(of(x));
    }
    default: {
      const [left, right] = [compile(e.left), compile(e.right)];
      const f = OPERATIONS[e.kind];
      return (x) => f(left(x), right(x));
    }
  }
}

const OPERATIONS = {
  add: (a: number, b: number): number => a + b,
  subtract: (a: number, b: number): number => a - b,
  multiply: (a: number, b: number): number => a * b,
  divide: (a: number, b: number): number => a / b,
  power: (a: number, b: number): number => a ** b,
};

const FUNCTIONS = { exp: Math.exp, log: Math.log, sin: Math.sin, cos: Math.cos, sqrt: Math.sqrt, tanh: Math.tanh, erf };

/** To about 1e-15: the series of Abramowitz and Stegun, 7.1.6, and the continued fraction 7.1.14 beyond 3. */
function erf(x: number): number {
  if (x < 0) return -erf(-x);
  const factor = (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x);
  if (x > 3) {
    let fraction = 0;
    for (let k = 80; k > 0; k--) fraction = k / 2 / (x + fraction);
    return 1 - factor / 2 / (x + fraction);
  }
  let [term, sum] = [x, x];
  for (let n = 1; n < 80; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return factor * sum;
}
