/** What every tensor program fulfils; a program that does not is a mistake in the compiler, not in its input. */
import type { Definition, Equation, IndexExpr, IndexVar, Polynomial, Tensor, TensorProgram } from './program.ts';
import { foldIndex } from '../indices/expression.ts';
import { sidesOf } from '../indices/guards.ts';
import { gcd } from '../numbers/rational.ts';
import { ownGuards, polynomialsOf, readTensors } from './walk.ts';

/** Every invariant that is broken, in words; empty for a sound program. */
export function verifyTensorProgram(program: TensorProgram): string[] {
  const problems: string[] = [];
  const names = new Set<string>();
  const defined = new Set<number>();
  for (const [id, tensor] of program.tensors.entries()) {
    problems.push(...tensorProblems(tensor, id).map((p) => `${tensor.name}: ${p}`));
    if (names.has(tensor.name)) problems.push(`${tensor.name}: two tensors of that name`);
    names.add(tensor.name);
    if (tensor.role === 'input') defined.add(id);
  }
  for (const equation of program.equations) {
    const target = program.tensors.at(equation.target);
    if (target === undefined) {
      problems.push(`an equation for tensor ${equation.target}, which does not exist`);
      continue;
    }
    if (defined.has(equation.target)) problems.push(`${target.name}: defined twice, or an input`);
    for (const id of readTensors(equation.definition))
      if (!defined.has(id)) problems.push(`${target.name}: reads ${program.tensors[id].name} before it is defined`);
    defined.add(equation.target);
    problems.push(...equationProblems(program, equation, target).map((p) => `${target.name}: ${p}`));
  }
  for (const tensor of program.tensors) {
    if (!defined.has(tensor.id)) problems.push(`${tensor.name}: neither an input nor defined`);
    if (tensor.role !== 'inner' && !program.statement.includes(tensor.id))
      problems.push(`${tensor.name}: declared, but not in the statement`);
  }
  return [...problems, ...outputProblems(program)];
}

/** Every secret output is in one commitment, once, and nothing else is. */
function outputProblems({ tensors, outputs = [] }: TensorProgram): string[] {
  const isOutput = (id: number): boolean => tensors[id]?.role === 'output' && tensors[id].visibility === 'secret';
  const inside = outputs.flatMap((o) => o.tensors.map((t) => t.tensor));
  const twice = (names: readonly string[]): string[] => names.filter((name, k) => names.indexOf(name) !== k);
  return [
    ...inside.filter((id) => !isOutput(id)).map((id) => `tensor ${id} leaves in a commitment and is no secret output`),
    ...twice(inside.map(String)).map((id) => `tensor ${id} leaves in two commitments`),
    ...tensors.filter((t) => isOutput(t.id) && !inside.includes(t.id)).map((t) => `${t.name}: leaves in no commitment`),
    ...twice(outputs.map((o) => o.name)).map((name) => `two outputs ${name}`),
    ...outputs.flatMap((o) => twice(o.tensors.map((t) => t.name)).map((name) => `${o.name}: two tensors ${name}`)),
  ];
}

function tensorProblems(tensor: Tensor, id: number): string[] {
  const problems: string[] = [];
  const { num, den } = tensor.scale;
  if (tensor.id !== id) problems.push(`id ${tensor.id} at position ${id}`);
  if (tensor.shape.some((n) => !Number.isSafeInteger(n) || n < 1))
    problems.push('a length that is no positive integer');
  if (num <= 0n || den <= 0n || gcd(num, den) !== 1n) problems.push('a scale that is not positive and in lowest terms');
  if (tensor.range.lo > tensor.range.hi) problems.push('an empty range');
  if (tensor.role === 'input' && tensor.type === undefined) problems.push('an input without a type');
  if (tensor.file !== undefined) {
    const files = tensor.shape.slice(0, tensor.file.stacked).reduce((n, length) => n * length, 1);
    if (files !== tensor.file.names.length) problems.push(`${tensor.file.names.length} file names for ${files} files`);
  }
  return problems;
}

function equationProblems(program: TensorProgram, equation: Equation, target: Tensor): string[] {
  const { definition, indices } = equation;
  const problems: string[] = [];
  if (indices.map((v) => v.size).join() !== target.shape.join()) problems.push('indices that are not its shape');
  for (const { polynomial, over } of polynomialsOf(definition)) {
    const fixed = [...indices, ...over];
    problems.push(...polynomialProblems(program, polynomial, fixed));
    problems.push(...sidesOf(ownGuards(definition)).flatMap((e) => indexProblems(program, e, fixed)));
  }
  switch (definition.kind) {
    case 'constant':
      if (definition.values.length !== target.shape.reduce((n, length) => n * length, 1))
        problems.push('a constant of another size');
      break;
    case 'polynomial':
      if (!sameScale(target, definition.polynomial)) problems.push('a scale that is not its polynomial’s');
      break;
    case 'round':
      if (definition.form.includes('Q') !== (definition.q !== undefined))
        problems.push('a form without its Q, or with one');
      if (target.type?.kind !== 'fixed') problems.push('a round without a type');
      break;
    case 'table':
      problems.push(...tableProblems(program, definition, target));
      break;
    case 'max':
    case 'argmax':
      if (definition.over.length === 0) problems.push('a maximum over nothing');
      if (definition.kind === 'argmax' && definition.over.length > 1) problems.push('an argmax over several indices');
  }
  return problems;
}

const sameScale = (target: Tensor, p: Polynomial): boolean =>
  target.scale.num === p.scale.num && target.scale.den === p.scale.den;

function tableProblems(program: TensorProgram, definition: Definition & { kind: 'table' }, target: Tensor): string[] {
  const table = program.tables.at(definition.table);
  const argument = program.tensors[definition.argument];
  if (table === undefined) return ['a table that does not exist'];
  const problems: string[] = [];
  if (argument.shape.join() !== target.shape.join()) problems.push('the argument of a table of another shape');
  if (JSON.stringify(argument.type) !== JSON.stringify(table.argument))
    problems.push('the argument of a table of another type');
  if (table.values.length === 0) problems.push('an empty table');
  return problems;
}

function polynomialProblems(program: TensorProgram, p: Polynomial, fixed: readonly IndexVar[]): string[] {
  const problems: string[] = [];
  if (p.scale.num <= 0n || p.scale.den <= 0n) problems.push('a polynomial whose scale is not positive');
  for (const term of p.terms) {
    const variables = [...fixed, ...term.reduced];
    if (term.coefficient === 0n) problems.push('a term with coefficient 0');
    problems.push(...sidesOf(term.guards).flatMap((e) => indexProblems(program, e, variables)));
    for (const factor of term.factors) problems.push(...accessProblems(program, factor.tensor, factor.at, variables));
  }
  return problems;
}

function accessProblems(
  program: TensorProgram,
  id: number,
  at: readonly IndexExpr[],
  variables: readonly IndexVar[],
): string[] {
  const tensor = program.tensors[id];
  const problems = at.flatMap((e) => indexProblems(program, e, variables));
  if (at.length !== tensor.shape.length) problems.push(`${at.length} indices for ${tensor.name}`);
  return problems;
}

const indexProblems = (program: TensorProgram, e: IndexExpr, variables: readonly IndexVar[]): string[] =>
  foldIndex<string[]>(e, {
    constant: (value) => (Number.isSafeInteger(value) ? [] : ['an index that is no integer']),
    variable: (id) => (id >= 0 && id < variables.length ? [] : [`variable ${id} of ${variables.length}`]),
    add: (left, right) => [...left, ...right],
    sub: (left, right) => [...left, ...right],
    mul: (left, right) => [...left, ...right],
    div: (left, by) => [...left, ...divisorProblems(by)],
    mod: (left, by) => [...left, ...divisorProblems(by)],
    entry: (tensor, at) => {
      const problems = accessProblems(program, tensor, at, variables);
      return program.tensors[tensor].type?.kind === 'index'
        ? problems
        : [...problems, 'an index that is not of an index tensor'];
    },
  });

const divisorProblems = (by: number): string[] => (by >= 1 ? [] : ['division by less than 1']);
