/**
 * Reads a gadget program from decoded bytes, believing nothing: every field is of its kind, every reference points
 * somewhere, every size is bounded, and every derived figure (levels, layouts) is what the rest implies. What comes out
 * can be walked without further checks.
 */
import type {
  AxisBinding,
  CommittedSource,
  CommittedTensor,
  DigitSource,
  GadgetEquation,
  GadgetFactor,
  GadgetLookup,
  GadgetProgram,
  GadgetStep,
  GadgetTable,
  GadgetTensor,
  GadgetTensorClass,
  GadgetTerm,
  LayoutAxis,
} from '../ir/gadget/program.ts';
import { layoutsOf } from '../ir/gadget/walk.ts';
import { foldIndex } from '../ir/indices/expression.ts';
import { COMMITTED_BITS } from '../ir/numbers/limits.ts';
import type { Compare, IndexExpr, Range, Rational, TensorType } from '../ir/tensor/program.ts';
import { checkProgram, checkTensor, checkTerm } from './check.ts';
import { fail, limits } from './limits.ts';
import { badName } from './names.ts';
import { checkLayout } from './places.ts';

const nowhere = { source: '', start: 0, end: 0 };

type Fields = Readonly<Record<string, unknown>>;

function fields(v: unknown, what: string): Fields {
  if (typeof v !== 'object' || v === null || Array.isArray(v) || v instanceof Uint8Array) fail(`${what} is no record`);
  return v as Fields;
}

function list<T>(v: unknown, what: string, most: number, item: (v: unknown, i: number) => T): T[] {
  if (!Array.isArray(v)) fail(`${what} is no list`);
  if (v.length > most) fail(`${what} has ${v.length} entries, at most ${most} are allowed`);
  return v.map(item);
}

function integer(v: unknown, what: string, lo: number, hi: number): number {
  if (typeof v !== 'number' || !Number.isInteger(v) || v < lo || v > hi)
    fail(`${what} is no integer in [${lo}, ${hi}]`);
  return v;
}

function big(v: unknown, what: string): bigint {
  if (typeof v !== 'bigint') fail(`${what} is no integer`);
  return v;
}

function text(v: unknown, what: string): string {
  if (typeof v !== 'string') fail(`${what} is no text`);
  const bad = badName(v);
  if (bad !== undefined) fail(`${what} ${bad}`);
  return v;
}

export function readGadgetProgram(value: unknown): GadgetProgram {
  const f = fields(value, 'the program');
  const sources = list(f.sources, 'sources', 64, readSource);
  // None is said by leaving them out.
  const outputs = f.outputs === undefined ? undefined : list(f.outputs, 'outputs', 64, readSource);
  if (outputs?.length === 0) fail('a list of no outputs');
  const layouts = layoutsOf({ sources, outputs });
  const count = Array.isArray(f.tensors) ? f.tensors.length : 0;
  const tensors = list(f.tensors, 'tensors', limits.tensors, (v) => readTensor(v, layouts, count));
  for (const [id, t] of tensors.entries()) checkTensor(tensors, layouts, sources.length, id, t);
  const equations = list(f.equations, 'equations', limits.equations, (v) => readEquation(v, tensors));
  const levels = integer(f.levels, 'levels', 0, limits.equations);
  const program: GadgetProgram = {
    name: text(f.name, 'name'),
    tensors,
    equations,
    tables: list(f.tables, 'tables', limits.tables, (v) => readTable(v, count)),
    lookups: list(f.lookups, 'lookups', limits.equations, (v) => readLookup(v, count)),
    zeros: list(f.zeros, 'zeros', limits.equations, (v) => readId(v, count)),
    steps: list(f.steps, 'steps', limits.equations * 4, (v) => readStep(v, tensors)),
    secrets: list(f.secrets, 'secrets', limits.equations, (v) => readId(v, count)),
    witnessRows: integer(f.witnessRows, 'rows of the proof', 0, limits.rows),
    sources,
    ...(outputs ? { outputs } : {}),
    publics: list(f.publics, 'publics', tensors.length, (v) => integer(v, 'a public tensor', 0, tensors.length - 1)),
    columns: readColumns(f.columns),
    folds: integer(f.folds, 'folds', 0, 16),
    levels,
  };
  checkProgram(program);
  return program;
}

const readId = (v: unknown, count: number): number => integer(v, 'a tensor', 0, count - 1);

function readTable(v: unknown, count: number): GadgetTable {
  const f = fields(v, 'a table');
  const multiplicities = readId(f.multiplicities, count);
  if (f.kind === 'range')
    return { kind: 'range', bits: integer(f.bits, 'bits of a range', 1, limits.rangeBits), multiplicities };
  if (f.kind !== 'function') fail('an unknown kind of table');
  const values = list(f.values, 'values of a table', 2 ** limits.tableBits + 1, (x) => big(x, 'a value'));
  if (values.length === 0) fail('an empty table');
  // A prover keeps them in 32 bits.
  if (values.some((x) => BigInt.asIntN(32, x) !== x)) fail('a value of a table is too large');
  return { kind: 'function', name: text(f.name, 'name of a table'), values, multiplicities };
}

function readLookup(v: unknown, count: number): GadgetLookup {
  const f = fields(v, 'a lookup');
  const offset = big(f.offset, 'an offset');
  if (BigInt.asIntN(32, offset) !== offset) fail('an offset is too large');
  return {
    tensor: readId(f.tensor, count),
    table: integer(f.table, 'a table', 0, limits.tables),
    offset,
    shift: integer(f.shift, 'a shift', 0, limits.bits),
    ...(f.value === undefined ? {} : { value: readId(f.value, count) }),
  };
}

/** Steps are the prover's: whatever they compute, a verifier checks. They only have to point somewhere. */
function readStep(v: unknown, tensors: readonly GadgetTensor[]): GadgetStep {
  const f = fields(v, 'a step');
  const count = tensors.length;
  if (f.kind === 'equation')
    return { kind: 'equation', equation: integer(f.equation, 'an equation', 0, limits.equations) };
  const target = readId(f.target, count);
  if (f.kind === 'sum')
    return {
      kind: 'sum',
      target,
      terms: list(f.terms, 'terms', limits.terms, (t) => readTerm(t, tensors, tensors[target].shape)),
    };
  const of = readId(f.of, count);
  const by = (): bigint | number => (typeof f.by === 'bigint' ? f.by : readId(f.by, count));
  switch (f.kind) {
    case 'floor':
    case 'root':
      return { kind: f.kind, target, of, by: by() };
    case 'limb':
      if (f.sign !== 1 && f.sign !== -1) fail('a sign that is none');
      return {
        kind: 'limb',
        target,
        of,
        from: big(f.from, 'a start'),
        sign: f.sign,
        shift: integer(f.shift, 'a shift', 0, limits.bits),
        bits: integer(f.bits, 'bits', 1, limits.rangeBits),
      };
    case 'clamp':
      return { kind: 'clamp', target, of, lo: big(f.lo, 'an end'), hi: big(f.hi, 'an end') };
    case 'isZero':
    case 'after':
    case 'select':
      return { kind: f.kind, target, of };
    case 'table':
      return {
        kind: 'table',
        target,
        of,
        table: integer(f.table, 'a table', 0, limits.tables),
        offset: big(f.offset, 'an offset'),
      };
    case 'largest':
      return {
        kind: 'largest',
        target,
        of,
        over: integer(f.over, 'a length', 1, limits.entries),
        ...(f.mask === undefined ? {} : { mask: readId(f.mask, count) }),
      };
    default:
      return fail('an unknown step');
  }
}

function readDigit(v: unknown): DigitSource {
  if (v === 0 || v === 1) return v;
  const f = fields(v, 'a digit');
  return { variable: integer(f.variable, 'an index', 0, limits.axes), bit: integer(f.bit, 'a digit', 0, 31) };
}

function readPlace(f: Fields): GadgetTensorClass {
  const axes = list(f.axes, 'axes', limits.axes, readAxis);
  return {
    kind: 'witness',
    axes,
    firstRow: integer(f.firstRow, 'a first row', 0, limits.rows),
    rows: integer(f.rows, 'rows', 1, limits.rows),
    firstColumn: integer(f.firstColumn, 'a first column', 0, limits.columns),
  };
}

function readAxis(a: unknown): LayoutAxis {
  const x = fields(a, 'an axis');
  const length = integer(x.length, 'an axis length', 1, limits.entries);
  return { length, columnBits: integer(x.columnBits, 'column bits', 0, Math.ceil(Math.log2(length))) };
}

function readColumns(v: unknown): number {
  const columns = integer(v, 'columns', 32, limits.columns);
  if (!Number.isInteger(Math.log2(columns))) fail('columns is no power of two');
  return columns;
}

function readSource(v: unknown): CommittedSource {
  const f = fields(v, 'a source');
  const columns = readColumns(f.columns);
  const tensors = list(f.tensors, 'tensors of a source', limits.tensors, (t): CommittedTensor => {
    const c = fields(t, 'a committed tensor');
    return {
      name: text(c.name, 'a name'),
      axes: list(c.axes, 'axes', limits.axes, readAxis),
      bits: integer(c.bits, 'bits', 1, COMMITTED_BITS),
      frac: integer(c.frac, 'fraction bits', -1024, 1024),
      firstRow: integer(c.firstRow, 'a first row', 0, limits.rows),
      rows: integer(c.rows, 'rows', 1, limits.rows),
      // 0 is said by leaving it out.
      ...(c.firstColumn === undefined
        ? {}
        : { firstColumn: integer(c.firstColumn, 'a first column', 1, limits.columns) }),
    };
  });
  const rows = integer(f.rows, 'rows of a source', 1, limits.rows);
  if (f.open !== undefined && f.open !== true) fail('a source is open or not');
  // Whether secret entries are in their ranges is shown by one tree of all.
  if (rows * columns > (f.open ? limits.slots : limits.leaves)) fail('a source is too large');
  const source = { name: text(f.name, 'name of a source'), ...(f.open ? { open: true as const } : {}) };
  checkLayout({ ...source, columns, rows, tensors });
  return { ...source, columns, rows, tensors };
}

function readTensor(v: unknown, layouts: readonly CommittedSource[], count: number): GadgetTensor {
  const f = fields(v, 'a tensor');
  const shape = list(f.shape, 'a shape', limits.axes, (n) => integer(n, 'a length', 1, limits.entries));
  if (shape.reduce((n, d) => n * d, 1) > limits.entries) fail('a tensor is too large');
  const scale = fields(f.scale, 'a scale');
  const rational: Rational = { num: big(scale.num, 'a scale'), den: big(scale.den, 'a scale') };
  if (rational.num <= 0n || rational.den <= 0n) fail('a scale is not positive');
  return {
    name: text(f.name, 'a name'),
    shape,
    scale: rational,
    range: readRange(f.range),
    ...(f.type === undefined ? {} : { type: readType(f.type) }),
    class: readClass(fields(f.class, 'a class'), shape, layouts, count),
    span: nowhere,
  };
}

function readRange(v: unknown): Range {
  const f = fields(v, 'a range');
  const range = { lo: big(f.lo, 'a bound'), hi: big(f.hi, 'a bound') };
  const most = 2n ** BigInt(limits.bits);
  if (range.lo > range.hi || range.lo < -most || range.hi > most) fail('a range is empty or too wide');
  return range;
}

function readType(v: unknown): TensorType {
  const f = fields(v, 'a type');
  if (f.kind === 'fixed')
    return {
      kind: 'fixed',
      bits: integer(f.bits, 'bits', 1, limits.bits),
      frac: integer(f.frac, 'fraction bits', -1024, 1024),
    };
  if (f.kind === 'index') return { kind: 'index', size: integer(f.size, 'size', 1, limits.entries) };
  return fail('an unknown type');
}

function readClass(
  f: Fields,
  shape: readonly number[],
  layouts: readonly CommittedSource[],
  count: number,
): GadgetTensorClass {
  switch (f.kind) {
    case 'input':
    case 'output':
      return { kind: f.kind };
    case 'constant': {
      if (f.values !== undefined)
        return { kind: 'constant', values: list(f.values, 'values', limits.entries, (v) => big(v, 'a value')) };
      return { kind: 'constant', guards: readGuards(f.guards, shape) };
    }
    case 'witness':
      return readPlace(f);
    case 'gathered':
      return {
        kind: 'gathered',
        of: integer(f.of, 'a tensor of a source', 0, count - 1),
        indices: integer(f.indices, 'an index tensor', 0, count - 1),
      };
    case 'selector':
      return { kind: 'selector', of: integer(f.of, 'an index tensor', 0, count - 1) };
    case 'defined':
      return { kind: 'defined', level: integer(f.level, 'a level', 0, limits.equations) };
    case 'digits':
      return {
        kind: 'digits',
        of: integer(f.of, 'a viewed tensor', 0, count - 1),
        axes: list(f.axes, 'axes', limits.axes, (a) => list(a, 'digits', 32, readDigit)),
      };
    case 'view':
      return {
        kind: 'view',
        level: integer(f.level, 'a level', 0, limits.equations),
        of: integer(f.of, 'a viewed tensor', 0, count - 1),
        at: list(f.at, 'a view', limits.axes, (e) => bounded(readIndex(e, shape.length, 0), shape)),
        guards: readGuards(f.guards, shape),
      };
    case 'committed': {
      const source = integer(f.source, 'a source', 0, layouts.length - 1);
      const files = list(f.files, 'files', limits.tensors, (v) =>
        integer(v, 'a file', 0, layouts[source].tensors.length - 1),
      );
      return { kind: 'committed', source, stacked: integer(f.stacked, 'stacked axes', 0, shape.length), files };
    }
    default:
      return fail('an unknown class of tensor');
  }
}

const readGuards = (v: unknown, shape: readonly number[]): Compare[] =>
  list(v, 'guards', limits.axes * 4, (g): Compare => {
    const f = fields(g, 'a guard');
    const side = (e: unknown): IndexExpr => bounded(readIndex(e, shape.length, 0), shape);
    const op = text(f.op, 'a comparison');
    if (!['<', '<=', '==', '!=', '>=', '>'].includes(op)) fail('an unknown comparison');
    return { left: side(f.left), op: op as Compare['op'], right: side(f.right) };
  });

function readIndex(v: unknown, variables: number, depth: number): IndexExpr {
  if (depth > 64) fail('an index expression is nested too deeply');
  const f = fields(v, 'an index expression');
  const sub = (e: unknown): IndexExpr => readIndex(e, variables, depth + 1);
  switch (f.kind) {
    case 'const':
      return { kind: 'const', value: integer(f.value, 'an index', -limits.entries, limits.entries) };
    case 'var':
      return { kind: 'var', var: integer(f.var, 'an index variable', 0, variables - 1) };
    case 'add':
    case 'sub':
    case 'mul':
      return { kind: f.kind, left: sub(f.left), right: sub(f.right) };
    case 'div':
    case 'mod':
      return { kind: f.kind, left: sub(f.left), by: integer(f.by, 'a divisor', 1, limits.entries) };
    default:
      return fail('an unknown index expression');
  }
}

/** Index arithmetic is on doubles: what could leave the exact integers is refused. */
function bounded(e: IndexExpr, shape: readonly number[]): IndexExpr {
  // Not a number: 0 times what is infinite.
  if (!(largest(e, shape) <= Number.MAX_SAFE_INTEGER)) fail('an index expression is too large');
  return e;
}

/** A bound on the absolute value of an expression and of its parts. */
const largest = (e: IndexExpr, shape: readonly number[]): number =>
  foldIndex<number>(e, {
    constant: Math.abs,
    variable: (id) => shape[id],
    add: (left, right) => left + right,
    sub: (left, right) => left + right,
    mul: (left, right) => Math.max(left, right, left * right),
    div: (left) => left,
    // A remainder is not negative: that of -1 is the largest there is.
    mod: (left, by) => Math.max(left, by - 1),
    entry: () => Infinity,
  });

function readEquation(v: unknown, tensors: readonly GadgetTensor[]): GadgetEquation {
  const f = fields(v, 'an equation');
  const target = integer(f.target, 'a target', 0, tensors.length - 1);
  const terms = list(f.terms, 'terms', limits.terms, (t) => readTerm(t, tensors, tensors[target].shape));
  return { target, level: integer(f.level, 'a level', 0, limits.equations), terms, span: nowhere };
}

function readTerm(v: unknown, tensors: readonly GadgetTensor[], outputs: readonly number[]): GadgetTerm {
  const f = fields(v, 'a term');
  const variables = list(f.variables, 'variables', limits.axes, (n) => integer(n, 'a length', 1, limits.entries));
  const output = (o: unknown): number => integer(o, 'an output index', 0, outputs.length - 1);
  const shared = list(f.shared, 'shared indices', variables.length, output);
  const free = list(f.free, 'free indices', outputs.length, output);
  const factors = list(f.factors, 'factors', 64, (x): GadgetFactor => {
    const y = fields(x, 'a factor');
    const tensor = integer(y.tensor, 'a factor', 0, tensors.length - 1);
    const axes = list(y.axes, 'axes', limits.axes, (a) => readBinding(a, outputs.length, variables.length));
    return { tensor, axes };
  });
  const term = { coefficient: big(f.coefficient, 'a coefficient'), variables, shared, free, factors };
  checkTerm(term, tensors, outputs);
  return term;
}

function readBinding(v: unknown, outputs: number, variables: number): AxisBinding {
  const f = fields(v, 'an axis');
  if (f.kind === 'output') return { kind: 'output', output: integer(f.output, 'an output index', 0, outputs - 1) };
  if (f.kind === 'summed') return { kind: 'summed', variable: integer(f.variable, 'a variable', 0, variables - 1) };
  return f.kind === 'half' ? { kind: 'half' } : fail('an unknown axis binding');
}
