/** Commitments that accepted proofs made. They are taken from verdicts alone: bytes could be of a proof that nobody verified. */
import type { CommittedSource } from '../../compiler/ir/gadget/program.ts';
import { printSource } from '../protocol/statement/statement.ts';

/** A commitment that an accepted proof made. `adopt` takes this object itself, and no copy of it. */
export interface VerifiedOutput {
  readonly name: string;
  /** 64 hexadecimal digits. */
  readonly digest: string;
}

interface Content {
  readonly layout: CommittedSource;
  /** Of its rows, as bytes. */
  readonly points: Uint8Array;
}

const contents = new WeakMap<VerifiedOutput, Content>();

/** @param points are copied */
export function verifiedOutput(layout: CommittedSource, points: Uint8Array, digest: string): VerifiedOutput {
  const output = Object.freeze({ name: layout.name, digest });
  contents.set(output, { layout, points: new Uint8Array(points) });
  return output;
}

/** The rows' points of an output as those of a source of whatever name; a reason if they cannot be. */
export function pointsAs(source: CommittedSource, output: VerifiedOutput): Uint8Array | string {
  const content = contents.get(output);
  if (content === undefined) return 'it is no output of a proof that was accepted here: give the object of a verdict';
  const text = (s: CommittedSource): string => printSource({ ...s, name: '' });
  if (text(content.layout) !== text(source))
    return 'the output is of tensors of other names, shapes or types than this program uses, or laid out otherwise';
  return content.points;
}
