/** Names and entries of tensors in values; every entry read is proved to lie inside its tensor. */
import type * as ast from '../../../grammar/ast.ts';
import type { Span } from '../../../grammar/span.ts';
import type { IndexExpr, TensorId } from '../../ir/tensor/program.ts';
import { rational } from '../../ir/numbers/rational.ts';
import { variable } from '../../ir/indices/expression.ts';
import { proveInside } from './bounds.ts';
import { lookUp, plainAxis, readIndex } from './values.ts';
import { wrongRank } from './bindings.ts';
import type { Place } from '../equations/place.ts';
import { factorPoly } from '../numbers/polynomial.ts';
import type { Quantity } from '../numbers/polynomial.ts';
import { constantQuantity } from '../numbers/quantity.ts';
import { count, formatShape } from '../report.ts';
import { describe } from '../names/scope.ts';

export function readReference(place: Place, node: ast.Reference): Quantity {
  const { session, scope } = place;
  const binding = lookUp(session, scope, node.name);
  switch (binding.kind) {
    case 'dim':
    case 'counter':
      return constantQuantity(rational(binding.value));
    case 'const':
      return constantQuantity(binding.value);
    case 'tensor':
      return wholeEntry(place, binding.tensor, node.name.text, node.span);
    case 'index':
      return session.reporter.fail({
        code: 'ZKL413',
        span: node.span,
        label: `\`${node.name.text}\` chooses entries`,
        help: `give its values a name: \`const ${node.name.text}s[${node.name.text}: ...] = ${node.name.text}\``,
      });
    default:
      return session.reporter.fail({
        code: 'ZKL206',
        about: { name: node.name.text, kind: describe(binding) },
        span: node.span,
        label: 'a tensor or a constant is expected here',
      });
  }
}

/** The entry of a whole tensor at the outputs; a scalar's only entry. */
function wholeEntry(place: Place, tensor: TensorId, name: string, span: Span): Quantity {
  const { session } = place;
  const { shape } = session.tensors[tensor];
  if (shape.length === 0) return { p: factorPoly({ tensor, at: [] }) };
  if (!place.whole || place.reduced.length > 0)
    return session.reporter.fail({
      code: 'ZKL309',
      about: { what: 'a whole tensor' },
      span,
      label: `\`${name}\` has ${count(shape.length, 'axis', 'axes')}`,
      help: `write its indices, \`${name}[...]\``,
    });
  const lengths = place.outputs.map((id) => session.variables[id].size);
  if (lengths.length !== shape.length || lengths.some((n, k) => n !== shape[k]))
    return session.reporter.fail({
      code: 'ZKL306',
      span,
      label: `\`${name}\` is ${formatShape(shape)}`,
      help: `${formatShape(lengths)} is expected here; only scalars and constants broadcast`,
    });
  return { p: factorPoly({ tensor, at: place.outputs.map(variable) }) };
}

export function readPrepared(place: Place, node: ast.Value, span: Span): Quantity {
  const tensor = place.prepared.get(node);
  if (tensor !== undefined) return wholeEntry(place, tensor, node.kind === 'call' ? node.name.text : 'the view', span);
  const what = node.kind === 'view' ? 'a view' : 'a block call';
  return place.session.reporter.fail({
    code: 'ZKL309',
    about: { what },
    span,
    label: 'works on whole tensors',
    help: 'give it a name in an equation of its own, and index that',
  });
}

export function readAccess(place: Place, node: ast.Access): Quantity {
  const { session, scope } = place;
  const { reporter } = session;
  const binding = lookUp(session, scope, node.name);
  if (binding.kind !== 'tensor')
    return reporter.fail({
      code: 'ZKL206',
      about: { name: node.name.text, kind: describe(binding) },
      span: node.span,
      label: 'only tensors have entries',
    });
  const { shape } = session.tensors[binding.tensor];
  if (node.axes.length !== shape.length) return wrongRank(session, node, shape, binding.span);
  const at = node.axes.map((axis, k) => readAxis(place, axis, shape[k], node.name.text, binding.span));
  return { p: factorPoly({ tensor: binding.tensor, at }) };
}

/** One axis of an access, proved to lie inside the tensor. */
function readAxis(place: Place, axis: ast.Axis, length: number, name: string, declared: Span): IndexExpr {
  const { session, scope } = place;
  const { reporter } = session;
  const e = readIndex(session, scope, plainAxis(session, axis));
  const notes = [{ span: declared, text: `\`${name}\` is declared here` }];
  if (e.kind === 'entry') {
    const { type } = session.tensors[e.tensor];
    for (const [k, at] of e.at.entries())
      proveAxis(place, at, session.tensors[e.tensor].shape[k], axis, session.tensors[e.tensor].name, []);
    if (type?.kind === 'index' && type.size !== length) {
      const label = `\`index<${type.size}>\` on an axis of length ${length}`;
      return reporter.fail({ code: 'ZKL310', span: axis.span, label, notes });
    }
    return e;
  }
  proveAxis(place, e, length, axis, name, notes);
  return e;
}

function proveAxis(
  place: Place,
  e: IndexExpr,
  length: number,
  axis: ast.Axis,
  name: string,
  notes: { span: Span; text: string }[],
): void {
  const { session } = place;
  const proof = proveInside(e, length, place.guards, session.bounds);
  if (proof.kind === 'inside') return;
  if (proof.kind === 'unknown')
    return session.reporter.fail({
      code: 'ZKL313',
      span: axis.span,
      label: `an axis of length ${length}`,
      notes,
      help: 'write a guard that bounds it, or a simpler index',
    });

  const point = [...proof.at].map(([id, v]) => `${session.variables[id].name} = ${v}`).join(', ');
  const label = `index ${proof.value} of an axis of length ${length}${point === '' ? '' : `, at ${point}`}`;
  return session.reporter.fail({
    code: 'ZKL304',
    about: { name },
    span: axis.span,
    label,
    notes,
    help: 'a guard, `if ... then ... else ...`, keeps an index inside',
  });
}
