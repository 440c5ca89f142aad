/** The plan of a program that may be too large for one. */
import { CodecError } from '../../compiler/ir/errors.ts';
import type { GadgetProgram } from '../../compiler/ir/gadget/program.ts';
import type { Argument } from '../protocol/argument.ts';
import { planProgram } from '../protocol/program.ts';

/** @throws CodecError for a program that is well-formed and still too large to plan */
export async function planned(program: GadgetProgram): Promise<Argument> {
  try {
    return await planProgram(program);
  } catch (e) {
    if (e instanceof RangeError)
      throw new CodecError(`the program is too large to prove: ${e.message}`, { file: 'bundle', cause: e });
    throw e;
  }
}
