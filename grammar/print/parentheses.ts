/** Where the printer must put parentheses so that the text reads as the tree it came from. */
import type { Node } from '../ast.ts';

const ATOMS = new Set<Node['kind']>(['number', 'reference', 'access', 'call', 'indicator']);
const INDEX_ATOMS = new Set<Node['kind']>(['number', 'reference', 'access']);

export const isSum = (node: Node): boolean =>
  (node.kind === 'binary' || node.kind === 'index-binary') && (node.operator === '+' || node.operator === '-');
const isProduct = (node: Node): boolean => (node.kind === 'binary' || node.kind === 'index-binary') && !isSum(node);

/**
 * @param node the operand
 * @param ancestors its parent first
 */
export function needsParentheses(node: Node, ancestors: readonly Node[]): boolean {
  const [parent] = ancestors;
  switch (parent.kind) {
    case 'binary': {
      if (node.kind === 'conditional') return true;
      if (node.kind === 'reduce') return capturesNext(node, ancestors);
      const right = parent.right === node;
      return isSum(parent) ? right && isSum(node) : isSum(node) || (right && isProduct(node));
    }
    case 'negate':
      if (node.kind === 'reduce') return capturesNext(node, ancestors);
      return node.kind === 'conditional' || node.kind === 'binary';
    case 'reduce':
      return node.kind === 'conditional' || isSum(node);
    case 'power':
      if (parent.base === node) return node.kind !== 'view' && !ATOMS.has(node.kind);
      return !['view', 'power', 'negate'].includes(node.kind) && !ATOMS.has(node.kind);
    case 'view':
      return !ATOMS.has(node.kind) && node.kind !== 'axis';
    case 'index-binary': {
      const right = parent.right === node;
      if (isSum(parent)) return right && (isSum(node) || node.kind === 'index-negate');
      return right ? !INDEX_ATOMS.has(node.kind) : isSum(node) || node.kind === 'index-negate';
    }
    case 'index-negate':
      return isSum(node) || node.kind === 'index-negate';
    default:
      return false;
  }
}

/** A reduction takes the product to its right, may not follow `/` directly, and is no exponent, even behind a minus. */
function capturesNext(node: Node, ancestors: readonly Node[]): boolean {
  for (const ancestor of ancestors) {
    if (ancestor.kind === 'power') return ancestor.exponent === node;
    if (ancestor.kind === 'negate') {
      if (node.kind === 'binary') return false;
    } else if (ancestor.kind === 'binary' && isProduct(ancestor)) {
      if (ancestor.left === node) return true;
      if (node.kind === 'binary') return false;
      if (ancestor.operator === '/') return true;
    } else return false;
    node = ancestor;
  }
  return false;
}
