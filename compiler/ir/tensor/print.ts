/**
 * The printed form of a tensor program: stable, one line a fact, with every scale and proved range. Complete: two
 * programs print differently unless they differ in spans, calibration keys or the real functions of tables alone.
 */
import type {
  Definition,
  Equation,
  IndexVar,
  Polynomial,
  Table,
  Tensor,
  TensorProgram,
  TensorType,
  Term,
} from './program.ts';
import { abbreviate, ends } from '../abbreviate.ts';
import { printAccess, printGuards, type Names } from '../indices/print.ts';
import { formatRational } from '../numbers/rational.ts';

/** The whole program: the statement, tables, inputs, then equations in order. */
export const printTensorProgram = (program: TensorProgram): string => print(program, true);

/** The same without digests of long lists, as bundles hold it. */
export const printWithoutDigests = (program: TensorProgram): string => print(program, false);

const listed = (items: readonly { toString(): string }[], digests: boolean): string =>
  (digests ? abbreviate : ends)(items.map(String));

function print(program: TensorProgram, digests: boolean): string {
  const { tensors } = program;
  const lines = [`program ${program.name}`, ''];
  lines.push(`statement ${program.statement.map((id) => tensors[id].name).join(', ')}`, '');
  for (const name of program.stateSources ?? []) lines.push(`source state ${name}`);
  for (const tensor of tensors) if (tensor.role === 'input') lines.push(printInput(tensor, digests));
  for (const { name, tensors: own } of program.outputs ?? [])
    lines.push(`output ${name}: ${own.map((t) => `${tensors[t.tensor].name} as "${t.name}"`).join(', ')}`);
  if (program.tables.length > 0) lines.push('', ...program.tables.map((table) => printTable(table, digests)));
  for (const equation of program.equations) lines.push('', ...printEquation(program, equation, digests));
  return `${lines.join('\n')}\n`;
}

const printType = (type: TensorType): string =>
  type.kind === 'index' ? `index<${type.size}>` : `fixed<${type.bits}, ${type.frac}>`;

const printShape = (shape: readonly number[]): string => (shape.length === 0 ? '' : `[${shape.join(', ')}]`);

/** Bounds near a power of two are shorter as one. */
function printBound(n: bigint): string {
  const size = n < 0n ? -n : n;
  if (size < 1024n) return n.toString();
  const sign = n < 0n ? '-' : '';
  const power = size.toString(2).length - 1;
  if (size === 1n << BigInt(power)) return `${sign}2^${power}`;
  if (size === (1n << BigInt(power + 1)) - 1n) return sign === '' ? `2^${power + 1}-1` : n.toString();
  return n.toString();
}

function printInput(tensor: Tensor, digests: boolean): string {
  const type = tensor.type === undefined ? '' : `: ${printType(tensor.type)}`;
  const head = `input ${tensor.visibility} ${tensor.name}${printShape(tensor.shape)}${type}`;
  if (tensor.file === undefined) return head;
  const { source, names, stacked } = tensor.file;
  const quoted = names.map((name) => `"${name}"`);
  if (stacked === 0) return `${head} from ${source} ${quoted[0]}`;
  const files = digests ? abbreviate(quoted, 1) : `${quoted[0]} .. ${quoted[quoted.length - 1]}`;
  return `${head} from ${source} ${files} (${names.length} stacked${digests && stacked !== 1 ? ` over ${stacked} axes` : ''})`;
}

function printTable(table: Table, digests: boolean): string {
  const shown = listed(table.values, digests);
  const saturate = table.saturate ? ' saturate' : '';
  return `table ${table.name} ${printType(table.argument)} -> ${printType(table.result)} from ${table.first}${saturate}: ${shown} (${table.values.length} values)`;
}

function printEquation(program: TensorProgram, equation: Equation, digests: boolean): string[] {
  const tensor = program.tensors[equation.target];
  const role = tensor.role === 'output' ? `output ${tensor.visibility} ` : '';
  const indices = equation.indices.map((v) => `${v.name}: ${v.size}`);
  const names = equation.indices.map((v) => v.name);
  const type = tensor.type === undefined ? '' : `${printType(tensor.type)}, `;
  return [
    `${role}${tensor.name}${indices.length === 0 ? '' : `[${indices.join(', ')}]`} =`,
    ...printDefinition(program, equation.definition, names, digests).map((line) => `  ${line}`),
    `  : ${type}scale ${formatRational(tensor.scale)}, range ${printBound(tensor.range.lo)} .. ${printBound(tensor.range.hi)}`,
  ];
}

function printDefinition(program: TensorProgram, of: Definition, names: readonly string[], digests: boolean): string[] {
  switch (of.kind) {
    case 'constant':
      return [`constant ${listed(of.values, digests)}`];
    case 'polynomial':
      return printPolynomial(program, of.polynomial, names);
    case 'round': {
      const clamp = of.clamp === undefined ? '' : ` clamped to ${of.clamp.lo} .. ${of.clamp.hi}`;
      const head = `round ${of.form} to 2^${-of.frac}${clamp}`;
      const p = indent(printPolynomial(program, of.p, names), 'P');
      return [head, ...p, ...(of.q === undefined ? [] : indent(printPolynomial(program, of.q, names), 'Q'))];
    }
    case 'table': {
      const at = names.length === 0 ? '' : `[${names.join(', ')}]`;
      return [`table ${program.tables[of.table].name} of ${program.tensors[of.argument].name}${at}`];
    }
    case 'max':
    case 'argmax': {
      const over = distinct(names, of.over);
      const inner = [...names, ...over];
      const guard = of.guards.length === 0 ? '' : ` if ${printGuards(of.guards, namesOf(program, inner))}`;
      const ranges = of.over.map((v, k) => `${over[k]}: ${v.size}`).join(', ');
      return [`${of.kind}(${ranges}${guard})`, ...indent(printPolynomial(program, of.of, inner), '')];
    }
  }
}

const indent = (lines: readonly string[], label: string): string[] =>
  lines.map((line, k) => `${(k === 0 ? label : '').padEnd(label.length)}  ${line}`.trimEnd());

/** Names of further variables, told apart from those in use. */
function distinct(used: readonly string[], variables: readonly IndexVar[]): string[] {
  const names: string[] = [];
  for (const { name } of variables) {
    let fresh = name;
    for (let n = 2; used.includes(fresh) || names.includes(fresh); n++) fresh = `${name}${n}`;
    names.push(fresh);
  }
  return names;
}

function printPolynomial(program: TensorProgram, p: Polynomial, names: readonly string[]): string[] {
  if (p.terms.length === 0) return ['0'];
  const scale = p.scale.num === 1n && p.scale.den === 1n ? '' : ` (times ${formatRational(p.scale)})`;
  const lines = p.terms.map((term, k) => {
    const sign = term.coefficient < 0n ? '- ' : k === 0 ? '' : '+ ';
    return `${sign}${printTerm(program, term, names)}`;
  });
  return [...lines.slice(0, -1), `${lines[lines.length - 1]}${scale}`];
}

function printTerm(program: TensorProgram, term: Term, outer: readonly string[]): string {
  const reduced = distinct(outer, term.reduced);
  const names = [...outer, ...reduced];
  const size = term.coefficient < 0n ? -term.coefficient : term.coefficient;
  const factors = term.factors.map((f) => printAccess(f.tensor, f.at, namesOf(program, names)));
  const product = [...(size === 1n && factors.length > 0 ? [] : [size.toString()]), ...factors].join(' * ');
  const ranges = term.reduced.map((v, k) => `${reduced[k]}: ${v.size}`).join(', ');
  const sum = reduced.length === 0 ? '' : `sum(${ranges}) `;
  const guards = term.guards.length === 0 ? '' : ` if ${printGuards(term.guards, namesOf(program, names))}`;
  return `${sum}${product}${guards}`;
}

/** What index arithmetic calls the program's tensors, and variables by their places in `names`. */
const namesOf = ({ tensors }: TensorProgram, names: readonly string[]): Names => ({
  variable: (id) => names[id],
  tensor: (id) => tensors[id].name,
});
