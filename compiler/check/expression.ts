/** The body of a table as data: the real function that is tabulated. */
import type * as ast from '../../grammar/ast.ts';
import type { RealExpression } from '../tensor/program.ts';
import { ZERO, parseDecimal } from '../tensor/rational.ts';
import { isRealFunction } from './real.ts';

type Operation = Extract<RealExpression, { readonly left: unknown }>['kind'];

/** The body as an expression of the argument; undefined where it is more than that. */
export function expressionOf(node: ast.Value, parameter: string): RealExpression | undefined {
  const both = (kind: Operation, a: ast.Value, b: ast.Value): RealExpression | undefined => {
    const [left, right] = [expressionOf(a, parameter), expressionOf(b, parameter)];
    return left && right && { kind, left, right };
  };
  switch (node.kind) {
    case 'number': {
      const value = parseDecimal(node.text);
      return value && { kind: 'number', value };
    }
    case 'reference':
      return node.name.text === parameter ? { kind: 'argument' } : undefined;
    case 'negate': {
      const right = expressionOf(node.operand, parameter);
      return right && { kind: 'subtract', left: { kind: 'number', value: ZERO }, right };
    }
    case 'binary':
      return both(OPERATORS[node.operator], node.left, node.right);
    case 'power':
      return both('power', node.base, node.exponent);
    case 'call': {
      const name = node.name.text;
      const of = expressionOf(node.arguments[0].value, parameter);
      return isRealFunction(name) && of ? { kind: 'apply', function: name, of } : undefined;
    }
    default:
      return undefined;
  }
}

const OPERATORS = { '+': 'add', '-': 'subtract', '*': 'multiply', '/': 'divide' } as const;
