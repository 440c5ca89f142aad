/** What a bundle's proofs state: who knows which tensor, and what is published. */
import type { Bundle } from '../../compiler/bundle/bundle.ts';
import type { GadgetProgram, GadgetTensor } from '../../compiler/ir/gadget/program.ts';
import { isOutput, layoutAt } from '../../compiler/ir/gadget/walk.ts';
import type { Rational } from '../../compiler/ir/tensor/program.ts';
import { position } from '../../grammar/span.ts';

export interface StatementTensor {
  readonly name: string;
  readonly visibility: 'public input' | 'public output' | 'secret' | 'secret input' | 'secret output' | 'open';
  readonly shape: readonly number[];
  readonly type: string;
  /** What the integer 1 stands for. */
  readonly scale: string;
  /** The source that it is from, or the output that it leaves in. */
  readonly source: string | undefined;
  readonly at: string | undefined;
}

export const printScale = ({ num, den }: Rational): string => {
  const power = den.toString(2).length - 1;
  if (den > 1n && den === 1n << BigInt(power)) return num === 1n ? `2^-${power}` : `${num} * 2^-${power}`;
  return den === 1n ? `${num}` : `${num}/${den}`;
};

/** FILE:LINE of a span in the sources that the bundle carries. */
export function lineOf(bundle: Bundle, span: GadgetTensor['span']): string | undefined {
  const source = bundle.sources.find((s) => s.name === span.source);
  return source && `${source.name}:${position(source.text, span.start).line}`;
}

export const sourceLine = (bundle: Bundle, span: GadgetTensor['span']): string | undefined => {
  const source = bundle.sources.find((s) => s.name === span.source);
  return source?.text.split('\n')[position(source.text, span.start).line - 1].trim();
};

export function statementOf(bundle: Bundle): StatementTensor[] {
  const { tensors, secrets } = bundle.gadgets;
  return tensors.flatMap((t, id): StatementTensor[] => {
    const visibility = visibilityOf(bundle.gadgets, t, secrets.includes(id));
    if (visibility === undefined) return [];
    const source = t.class.kind === 'committed' ? layoutAt(bundle.gadgets, t.class.source).name : undefined;
    return [
      {
        name: t.name,
        visibility,
        shape: t.shape,
        type: typeOf(t),
        scale: printScale(t.scale),
        source,
        at: lineOf(bundle, t.span),
      },
    ];
  });
}

function visibilityOf(
  program: GadgetProgram,
  { class: c }: GadgetTensor,
  isSecretInput: boolean,
): StatementTensor['visibility'] | undefined {
  if (isSecretInput) return 'secret input';
  if (isOutput(program, c)) return 'secret output';
  if (c.kind === 'committed') return program.sources[c.source].open ? 'open' : 'secret';
  return c.kind === 'input' || c.kind === 'output' ? `public ${c.kind}` : undefined;
}

function typeOf({ type, range }: GadgetTensor): string {
  if (type?.kind === 'fixed') return `fixed<${type.bits}, ${type.frac}>`;
  if (type?.kind === 'index') return `index<${type.size}>`;
  const magnitude = range.hi > -range.lo - 1n ? range.hi : -range.lo - 1n;
  return `exact, ${magnitude <= 0n ? 1 : magnitude.toString(2).length + 1} bits`;
}
