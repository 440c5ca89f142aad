/** The proof of a program: which matrices it opens, and the protocol that both roles run. */
import type { GadgetProgram } from '../../compiler/ir/gadget/program.ts';
import { planArgument, POINT_BYTES, type Argument } from './argument.ts';
import type { Meter, ProtocolContext } from './context.ts';
import { constantForm } from './form.ts';
import type { IntegerArray } from '../integers/arrays.ts';
import { encodeIntegers } from '../integers/bytes.ts';
import { isPartial, openOutside, outsideSize, ownMatrices, ownTensors } from './commitment/layout.ts';
import { claimReduction, type ClaimReductionRole } from './sumcheck/claim-reduction.ts';
import { tensorLookupProtocol, type TensorLookupRole } from './lookup/tensor-lookups.ts';
import { bitsFor, largest } from './scalar.ts';
import { commitmentDigest, sha256 } from './statement/statement.ts';

export type ProgramRole = ClaimReductionRole & TensorLookupRole;

/**
 * The whole protocol: lookups first, since they say which tensors have to be evaluated where; then that the slots outside their
 * tensors are 0 in witness rows and in those of outputs, without which a claim's weight there, of this proof or of one that takes
 * the output, would let them be anything; then the equations.
 */
export async function programProtocol(ctx: ProtocolContext, program: GadgetProgram, role: ProgramRole): Promise<void> {
  const lookups = program.lookups.length > 0 ? await tensorLookupProtocol(ctx, program, role) : undefined;
  assertZeroOutside(ctx, program);
  await claimReduction(ctx, program, role, lookups);
}

function assertZeroOutside(ctx: ProtocolContext, program: GadgetProgram): void {
  const partial = [...ownTensors(program)].filter(({ t }) => isPartial(t.axes));
  const variables = largest(partial.flatMap(({ t }) => t.axes.map((a) => bitsFor(a.length))));
  const axes = largest(partial.map(({ t }) => t.axes.length));
  const points = Array.from({ length: axes }, () => ctx.point('padding point', variables));
  for (const { matrix, t } of partial)
    ctx.assertZero({
      form: constantForm(0n),
      openings: ctx.open(outsideSize(t), () => openOutside(matrix, t, points)),
    });
}

/** Matrices of the sources, then the proof's own, then the outputs. `role` sees what a verifier would have to evaluate. */
export const planProgram = (
  program: GadgetProgram,
  { meter, role }: { readonly meter?: Meter; readonly role?: ProgramRole } = {},
): Promise<Argument> =>
  planArgument(
    {
      matrices: [...program.sources.map((s) => ({ rows: s.rows, columns: s.columns })), ...ownMatrices(program)],
      registered: program.sources.length,
      columns: program.columns,
      folds: program.folds,
    },
    (ctx) =>
      programProtocol(
        ctx,
        program,
        role ?? {
          indices: () => {
            throw new Error('internal error: a planner makes no openings');
          },
          evaluate: () => undefined,
          evaluateView: () => undefined,
          evaluateTable: () => undefined,
        },
      ),
    meter,
  );

/** The points of each output's rows, in a proof's body, where they follow those of the proof's own rows. */
export function outputPoints({ witnessRows, outputs = [] }: GadgetProgram, body: Uint8Array): Uint8Array[] {
  let at = POINT_BYTES * witnessRows;
  return outputs.map((o) => body.subarray(at, (at += POINT_BYTES * o.rows)));
}

/** Names of the commitments that a proof makes, in the program's order. */
export const outputDigests = (program: GadgetProgram, body: Uint8Array): Uint8Array[] =>
  outputPoints(program, body).map((points, k) => commitmentDigest((program.outputs ?? [])[k], points));

/** Digests of the public tensors, in statement order. */
export const publicDigests = (program: GadgetProgram, publics: ReadonlyMap<number, IntegerArray>): Uint8Array[] =>
  program.publics.map((id) => {
    const values = publics.get(id);
    if (!values) throw new Error(`internal error: no values for ${program.tensors[id].name}`);
    return sha256(encodeIntegers(program.tensors[id].range, values));
  });
