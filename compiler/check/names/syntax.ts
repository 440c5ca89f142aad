/** Walks over syntax trees. */
import type * as ast from '../../../grammar/ast.ts';

/** The values directly inside a value. */
export function innerValues(node: ast.Value): ast.Value[] {
  switch (node.kind) {
    case 'conditional':
      return [node.then, node.else];
    case 'binary':
      return [node.left, node.right];
    case 'negate':
    case 'view':
      return [node.operand];
    case 'reduce':
      return [node.body];
    case 'power':
      return [node.base, node.exponent];
    case 'call':
      return node.arguments.map((argument) => argument.value);
    case 'indicator':
    case 'access':
    case 'reference':
    case 'number':
      return [];
  }
}

/** A value and all values in it, outermost first. */
export function* allValues(node: ast.Value): Generator<ast.Value> {
  yield node;
  for (const inner of innerValues(node)) yield* allValues(inner);
}

function* accessesInIndex(node: ast.Index): Generator<ast.Access> {
  if (node.kind === 'access') yield* withinAccess(node);
  if (node.kind === 'index-negate') yield* accessesInIndex(node.operand);
  if (node.kind === 'index-binary') {
    yield* accessesInIndex(node.left);
    yield* accessesInIndex(node.right);
  }
}

function* withinAccess(node: ast.Access): Generator<ast.Access> {
  yield node;
  for (const axis of node.axes) yield* accessesInIndex(axis.index);
}

/** Every access in a value, those inside indices and guards included. */
export function* accessesIn(value: ast.Value): Generator<ast.Access> {
  for (const node of allValues(value)) {
    if (node.kind === 'access') yield* withinAccess(node);
    const guard =
      node.kind === 'conditional' || node.kind === 'indicator' || node.kind === 'reduce' ? node.guard : undefined;
    for (const comparison of guard?.comparisons ?? []) {
      yield* accessesInIndex(comparison.left);
      yield* accessesInIndex(comparison.right);
    }
  }
}

/** Every name that a definition mentions, in values, indices and guards. */
export function namesIn(node: Pick<ast.Define, 'axes' | 'value'>): Set<string> {
  const names = new Set<string>();
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) part.forEach(visit);
    else if (typeof part === 'object' && part !== null) {
      if ('kind' in part && 'name' in part && isName(part.name)) names.add(part.name.text);
      for (const [key, inner] of Object.entries(part)) if (key !== 'span' && key !== 'name') visit(inner);
    }
  };
  visit(node.axes);
  visit(node.value);
  return names;
}

const isName = (part: unknown): part is ast.Name => typeof part === 'object' && part !== null && 'text' in part;

/** The tensor parameters that a derivative has a result for: an index has no gradient. */
export const differentiable = (block: ast.Block): ast.Tensor[] =>
  block.params.filter((param) => param.kind === 'tensor').filter((param) => param.type?.name !== 'index');

/** Whether a derivative takes one cotangent for each result and has one result for each differentiable parameter. */
export const hasSignature = (block: ast.Block, { params, results }: ast.Derivative): boolean =>
  params.length === block.results.length &&
  params.every((param) => param.kind === 'tensor') &&
  results.length === differentiable(block).length;
