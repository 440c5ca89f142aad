/** The proof of a program: which matrices it opens, and the argument that runs its levels. */
import type { GadgetProgram } from '../../compiler/gadget/program.ts';
import { planArgument, type Argument } from './argument.ts';
import type { IntegerArray } from './integers.ts';
import { encodeIntegers } from './integers.ts';
import { proveLevels } from './levels.ts';
import { sha256 } from './statement.ts';

export const planProgram = (program: GadgetProgram): Promise<Argument> =>
  planArgument(
    {
      matrices: program.sources.map((s) => ({ rows: s.rows, columns: s.columns })),
      registered: program.sources.length,
      columns: program.columns,
      folds: program.folds,
    },
    (ctx) => proveLevels(ctx, program, { evaluate: () => undefined, evaluateView: () => undefined }),
  );

/** Digests of the public tensors, in statement order. */
export const publicDigests = (program: GadgetProgram, publics: ReadonlyMap<number, IntegerArray>): Uint8Array[] =>
  program.publics.map((id) => {
    const values = publics.get(id);
    if (!values) throw new Error(`internal error: no values for ${program.tensors[id].name}`);
    return sha256(encodeIntegers(program.tensors[id].range, values));
  });
