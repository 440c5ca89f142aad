/** The body of a table as data: the real function that is tabulated. */
import type * as ast from '../../../grammar/ast.ts';
import type { RealExpression } from '../../ir/tensor/program.ts';
import { ZERO, parseDecimal, rational } from '../../ir/numbers/rational.ts';
import { isRealFunction } from '../../ir/numbers/real.ts';
import type { Scope } from '../names/scope.ts';

type Operation = Extract<RealExpression, { readonly left: unknown }>['kind'];

/** The body as an expression of the argument; undefined where it is more than that. */
export function expressionOf(node: ast.Value, parameter: string, scope: Scope): RealExpression | undefined {
  const both = (kind: Operation, a: ast.Value, b: ast.Value): RealExpression | undefined => {
    const [left, right] = [expressionOf(a, parameter, scope), expressionOf(b, parameter, scope)];
    return left && right && { kind, left, right };
  };
  switch (node.kind) {
    case 'number': {
      const value = parseDecimal(node.text);
      return value && { kind: 'number', value };
    }
    case 'reference': {
      if (node.name.text === parameter) return { kind: 'argument' };
      const binding = scope.own(node.name.text);
      return binding?.kind === 'dim' ? { kind: 'number', value: rational(binding.value) } : undefined;
    }
    case 'negate': {
      const right = expressionOf(node.operand, parameter, scope);
      return right && { kind: 'subtract', left: { kind: 'number', value: ZERO }, right };
    }
    case 'binary':
      return both(OPERATORS[node.operator], node.left, node.right);
    case 'power':
      return both('power', node.base, node.exponent);
    case 'call': {
      const name = node.name.text;
      if (node.arguments.length !== 1 || node.dims.length > 0) return undefined;
      const of = expressionOf(node.arguments[0].value, parameter, scope);
      return isRealFunction(name) && of ? { kind: 'apply', function: name, of } : undefined;
    }
    default:
      return undefined;
  }
}

const OPERATORS = { '+': 'add', '-': 'subtract', '*': 'multiply', '/': 'divide' } as const;
