/** Declared inputs: activations, weights from checkpoint files, index tensors. */
import type * as ast from '../../../grammar/ast.ts';
import type { TensorFile, TensorType } from '../../ir/tensor/program.ts';
import { addTensor, describePlace, entries, typeRange } from '../context.ts';
import type { Frame, Session } from '../context.ts';
import { typeScale } from '../equations/emit.ts';
import { checkSize, readType, staticLength } from '../indices/values.ts';
import { calibrated } from '../equations/meanings.ts';
import { fullName, interpolate, tensorName } from '../names/paths.ts';
import { didYouMean } from '../report.ts';
import { sourceKey, sourceNames } from '../names/scope.ts';

/** More files than this in one declaration are refused. */
const MAX_FILES = 100_000;

/** `public x[T, I]: fixed<16, 8>`, `secret A[l: L, R, I]: fixed<16, 14> from adapter "h.{l}.lora_A.weight"`. */
export function declareInput(session: Session, frame: Frame, node: ast.Input): void {
  const { reporter } = session;
  checkPlace(session, frame, node);
  const shape = node.axes.map((axis) => staticLength(session, frame.scope, axis.range ?? axis.index));
  checkSize(session, shape, node.span);
  const file = node.file === undefined ? undefined : readFile(session, frame, node, node.file, shape);
  for (const name of file?.names ?? []) {
    const key = `${file?.source ?? ''}:${name}`;
    const before = session.weights.get(key);
    if (before !== undefined)
      return reporter.fail({
        code: 'ZKL208',
        about: { name },
        span: node.span,
        label: 'the second declaration',
        notes: [{ span: before, text: 'the first' }],
        help: 'a weight is declared once and shared by passing it; two instances need different `at` paths',
      });
    session.weights.set(key, node.span);
  }
  const { type, key } = inputType(session, frame, node, file);
  const tensor = addTensor(session, {
    name: tensorName(frame, node.name.text),
    shape,
    scale: typeScale(type),
    range: typeRange(type),
    type,
    ...(key === undefined ? {} : { key }),
    visibility: node.visibility,
    role: 'input',
    ...(file === undefined ? {} : { file }),
    span: node.name.span,
  });
  session.statement.push(tensor.id);
  session.named.set(tensor.id, node.name.span);
  frame.scope.set(node.name.text, { kind: 'tensor', tensor: tensor.id, span: node.name.span });
}

function checkPlace(session: Session, frame: Frame, node: ast.Input): void {
  const { reporter } = session;
  if (node.name.text.endsWith("'"))
    return reporter.fail({
      code: 'ZKL239',
      about: { what: 'a declaration' },
      span: node.name.span,
      label: 'primes are for values carried by `repeat`',
    });
  if (frame.place === 'model' || frame.place === 'train') return;
  const where = describePlace(frame.place);
  if (frame.place === 'derivative' || frame.place === 'optimizer')
    return reporter.fail({
      code: 'ZKL210',
      about: { place: where },
      span: node.span,
      label: 'it reads what it is given',
    });

  if (node.visibility === 'public')
    return reporter.fail({
      code: 'ZKL233',
      about: { place: where },
      span: node.span,
      label: 'only a model has public inputs',
      help: 'declare it in the model and pass it',
    });

  if (node.file === undefined)
    return reporter.fail({
      code: 'ZKL210',
      about: { place: where },
      span: node.span,
      label: 'only weights `from` a source can be declared here',
      help: 'declare it in the model and pass it, or say `from SOURCE "name"`',
    });
}

function readFile(
  session: Session,
  frame: Frame,
  node: ast.Input,
  file: ast.File,
  shape: readonly number[],
): TensorFile {
  const { reporter } = session;
  const binding = frame.scope.find(sourceKey(file.source.text), file.source.span);
  if (binding?.kind !== 'source') {
    const sources = sourceNames(frame.scope);
    return reporter.fail({
      code: 'ZKL211',
      about: { given: `\`${file.source.text}\`` },
      span: file.source.span,
      label: 'after `from` comes a source',
      help: `sources here: ${sources.map((s) => `\`${s}\``).join(', ')}; others are declared, \`source ${file.source.text}\``,
      ...didYouMean(file.source.text, file.source.span, sources),
    });
  }
  const bound = node.axes.map((axis) =>
    axis.range !== undefined && axis.index.kind === 'reference' ? axis.index.name : undefined,
  );
  const stacked = bound.findIndex((name) => name === undefined);
  const count = stacked === -1 ? bound.length : stacked;
  for (const [k, name] of bound.entries()) {
    if (name === undefined || k < count) continue;
    return reporter.fail({
      code: 'ZKL333',
      span: name.span,
      label: `\`${name.text}\` stacks files`,
      help: 'axes that stack files come first',
    });
  }
  for (const name of bound.slice(0, count)) {
    if (name === undefined || new RegExp(`\\{${name.text}(?: *\\+ *\\d+)?\\}`).test(file.name.text)) continue;
    return reporter.fail({
      code: 'ZKL232',
      about: { index: `{${name.text}}` },
      span: file.name.span,
      label: 'one file for all of them',
      notes: [{ span: name.span, text: 'stacks files' }],
      help: `write where \`{${name.text}}\` stands in the names, or \`${name.text}\`'s length without a name`,
    });
  }
  const lengths = shape.slice(0, count);
  if (entries(lengths) > MAX_FILES)
    return reporter.fail({ code: 'ZKL328', span: node.span, label: `[${lengths.join(', ')}]` });
  const names: string[] = [];
  const at = new Map<string, number>();
  const go = (k: number): void => {
    const name = bound[k];
    if (k === count || name === undefined) {
      names.push(fullName(frame, interpolate(session, frame.scope, file.name, at)));
      return;
    }
    for (let v = 0; v < shape[k]; v++) {
      at.set(name.text, v);
      go(k + 1);
    }
  };
  go(0);
  return { source: binding.source, names, stacked: count };
}

interface Typed {
  readonly type: TensorType;
  /** The calibration key that gave it. */
  readonly key?: string;
}

function inputType(session: Session, frame: Frame, node: ast.Input, file: TensorFile | undefined): Typed {
  if (node.type !== undefined) return { type: readType(session, frame.scope, node.type) };
  if (node.visibility === 'open' && file !== undefined) {
    const key = `${file.source}:${file.names[0]}`;
    const { bits, frac } = calibrated(session, key, tensorName(frame, node.name.text), node.name.span);
    return { type: { kind: 'fixed', bits, frac }, key };
  }
  return session.reporter.fail({
    code: 'ZKL410',
    about: { visibility: node.visibility },
    span: node.span,
    label: 'the scale of its integers',
    help: 'write `: fixed<16, 14>`; only `open` tensors may take their scale from the checkpoint',
  });
}
