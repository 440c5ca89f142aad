/** Which tensors a definition reads. */
import type { Definition, IndexExpr, Polynomial, TensorId } from './program.ts';

/** The tensors read, in order of appearance, without repeats; those that choose an index included. */
export function readTensors(definition: Definition): TensorId[] {
  const found = new Set<TensorId>();
  const index = (e: IndexExpr): void => {
    switch (e.kind) {
      case 'const':
      case 'var':
        return;
      case 'add':
      case 'sub':
      case 'mul':
        index(e.left);
        index(e.right);
        return;
      case 'div':
      case 'mod':
        index(e.left);
        return;
      case 'entry':
        found.add(e.tensor);
        e.at.forEach(index);
    }
  };
  const polynomial = (p: Polynomial): void => {
    for (const term of p.terms) {
      for (const guard of term.guards) {
        index(guard.left);
        index(guard.right);
      }
      for (const factor of term.factors) {
        found.add(factor.tensor);
        factor.at.forEach(index);
      }
    }
  };
  switch (definition.kind) {
    case 'constant':
      break;
    case 'polynomial':
      polynomial(definition.polynomial);
      break;
    case 'round':
      polynomial(definition.p);
      if (definition.q !== undefined) polynomial(definition.q);
      break;
    case 'table':
      found.add(definition.argument);
      break;
    case 'max':
    case 'argmax':
      polynomial(definition.of);
  }
  return [...found];
}
