/** What flows back through one term of a sum of products, to one of its factors. */
import { substitution, variable } from '../../ir/indices/expression.ts';
import { isStatic, mapGuard } from '../../ir/indices/guards.ts';
import type { Compare, IndexExpr } from '../../ir/tensor/program.ts';
import { mapFactor } from '../../ir/tensor/walk.ts';
import { addVariable, copier } from '../context.ts';
import type { Session } from '../context.ts';
import { constantGuard } from '../indices/bounds.ts';
import { multiplyPoly, sumPoly } from '../numbers/polynomial.ts';
import type { Poly, RealTerm } from '../numbers/polynomial.ts';
import { invert } from './adjoint.ts';
import { radixes, unnested } from './digits.ts';

/**
 * For y[i] = term(i) with F[a(i, r)] as factor k of the term, and a cotangent of y: the sum of cotangent and the other
 * factors over all i and r with a(i, r) = p, as a function of p.
 *
 * @param outputs the variables i, in which the term and the cotangent are written
 * @param axes the variables p
 * @returns undefined where the access cannot be turned around
 */
export function pullBack(
  session: Session,
  term: RealTerm,
  k: number,
  outputs: readonly number[],
  cotangent: Poly,
  axes: readonly number[],
): Poly | undefined {
  const { bounds } = session;
  const size = (id: number): number => session.variables[id].size;
  const rest: RealTerm = { ...term, reduced: [], factors: term.factors.filter((_, j) => j !== k) };
  // The variables of the cotangent's own sums are none of the term's.
  const product = multiplyPoly([rest], cotangent, copier(session));
  const make = unnested(bounds);
  const normalise = substitution(variable, make);
  const at = term.factors[k].at.map(normalise);
  const digits = radixes(at, size, (like, length) => addVariable(session, session.variables[like].name, length));
  if (digits === undefined) return undefined;
  const split = substitution((id) => digits.get(id)?.value ?? variable(id), make);
  const whole = [...outputs, ...term.reduced];
  const unknown = whole.flatMap((id) => digits.get(id)?.digits.map((d) => d.id) ?? [id]);
  const solution = invert({ at: at.map(split), axes, unknown: new Set(unknown), size, make });
  if (solution === undefined) return undefined;
  const solved = substitution((id) => solution.values.get(id) ?? variable(id), make);
  const place = (e: IndexExpr): IndexExpr => solved(split(e));
  const beyond = whole.flatMap((id): Compare[] => {
    const radix = digits.get(id);
    return radix?.beyond === true
      ? [{ left: solved(radix.value), op: '<', right: { kind: 'const', value: size(id) } }]
      : [];
  });
  const left = unknown.filter((id) => !solution.values.has(id));
  return product.flatMap((t) => {
    const placed: RealTerm = {
      ...t,
      guards: t.guards.map((g) => mapGuard(g, place)),
      factors: t.factors.map((f) => mapFactor(f, place)),
    };
    const guards = needed(session, [...placed.guards, ...solution.guards, ...beyond]);
    return guards === undefined ? [] : sumPoly([{ ...placed, guards: [] }], left, guards, size);
  });
}

/** The guards without those that always hold; undefined where one never does. */
function needed(session: Session, guards: readonly Compare[]): Compare[] | undefined {
  const found: Compare[] = [];
  for (const g of guards) {
    const fixed = isStatic(g) ? constantGuard(g, session.bounds) : undefined;
    if (fixed === false) return undefined;
    if (fixed !== true) found.push(g);
  }
  return found;
}
