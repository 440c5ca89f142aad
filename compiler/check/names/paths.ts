/** Checkpoint paths and names: `at "..."`, `from source "..."`, with `{l}` for the index of a repeat or a bound axis. */
import type * as ast from '../../../grammar/ast.ts';
import type { Span } from '../../../grammar/span.ts';
import type { Frame, Session } from '../context.ts';
import { didYouMean } from '../report.ts';
import type { Scope } from './scope.ts';

/** `text` with every `{name}` and `{name + 2}` replaced by its value, from `values` first, then from counters in scope. */
export function interpolate(
  session: Session,
  scope: Scope,
  node: ast.StringLiteral,
  values: ReadonlyMap<string, number> = new Map(),
): string {
  return node.text.replace(/\{([^{}]*)\}/g, (match, inside: string, offset: number) => {
    const [, name = inside, more = '0'] = /^(\w+) *\+ *(\d{1,9})$/.exec(inside) ?? [];
    // One more for the opening quote.
    const start = node.span.start + 1 + offset;
    const span: Span = { source: node.span.source, start, end: start + match.length };
    const inner: Span = { ...span, start: start + 1, end: start + 1 + name.length };
    const value = values.get(name) ?? counter(scope, name, inner);
    if (value !== undefined) return String(value + Number(more));
    const candidates = [...values.keys(), ...scope.names((b) => b.kind === 'counter')];
    return session.reporter.fail({
      code: 'ZKL209',
      about: { name },
      span,
      label: 'the index of a repeat or of a bound axis',
      ...(candidates.length > 0 ? { help: `indices here: ${candidates.map((c) => `\`${c}\``).join(', ')}` } : {}),
      ...didYouMean(name, inner, candidates),
    });
  });
}

function counter(scope: Scope, name: string, use: Span): number | undefined {
  const found = scope.find(name, use);
  return found?.kind === 'counter' || found?.kind === 'dim' ? found.value : undefined;
}

/** The frame with `at "..."` added to its checkpoint path. */
export function extendAt(session: Session, frame: Frame, scope: Scope, at: ast.StringLiteral | undefined): Frame {
  if (at === undefined) return frame;
  return { ...frame, at: [...frame.at, interpolate(session, scope, at)] };
}

/** A full checkpoint name. */
export const fullName = (frame: Frame, name: string): string =>
  [...frame.at, name].filter((part) => part !== '').join('.');

/** The name of a tensor of this frame. */
export const tensorName = (frame: Frame, name: string): string => [...frame.path, name].join('/');

/** The calibration key of a definition: checkpoint path and the names being defined. */
export function calibrationKey(frame: Frame, name: string): string {
  const key = [...(frame.at.length > 0 ? [frame.at.join('.')] : []), ...frame.keys, name].join('/');
  return frame.gradient === true ? gradientKey(key) : key;
}

/** The key of the gradient of what has this key. */
export const gradientKey = (key: string): string => `${key}.grad`;

export const isGradientKey = (key: string): boolean => key.endsWith('.grad');
