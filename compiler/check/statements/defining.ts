/** A definition on its own: what is wrong with it poisons the name, and nothing else. */
import type * as ast from '../../../grammar/ast.ts';
import type { Span } from '../../../grammar/span.ts';
import type { Frame, Session } from '../context.ts';
import { attempt } from '../report.ts';

/** Runs `read`; what it reports as wrong poisons `name`. */
export function defining(session: Session, frame: Frame, name: ast.Name, span: Span, read: () => void): void {
  const done = attempt(session.reporter, span, () => {
    checkFresh(session, frame, name);
    read();
  });
  if (!done && frame.scope.own(name.text) === undefined)
    frame.scope.set(name.text, { kind: 'poison', span: name.span });
}

function checkFresh(session: Session, frame: Frame, name: ast.Name): void {
  // What stands around a repeat or a derivative is visible in it.
  const inner = frame.place === 'repeat' || frame.place === 'derivative';
  const before = inner ? frame.scope.find(name.text) : frame.scope.own(name.text);
  if (before === undefined || before.kind === 'poison') return;
  if (['block', 'table', 'optimizer', 'model'].includes(before.kind)) return;
  return session.reporter.fail({
    code: 'ZKL202',
    about: { name: name.text },
    span: name.span,
    label: 'the second definition',
    notes: [{ span: before.span, text: 'the first' }],
    help:
      frame.place === 'repeat'
        ? `a value carried to the next iteration is \`${name.text}'\``
        : 'names are defined once',
  });
}
