/** What is put to the test: a tensor program or `.zkl` text, planned as a proof. */
import { encode, type Plain } from '../../compiler/bundle/canonical.ts';
import { programDigest } from '../../compiler/bundle/bundle.ts';
import { lower } from '../../compiler/lower/lower.ts';
import type { GadgetProgram } from '../../compiler/ir/gadget/program.ts';
import type { RangePlan } from '../../compiler/lower/gadgets/limbs.ts';
import { compile, type CompileInput } from '../../compiler/index.ts';
import { interpret, ValueError } from '../../compiler/interpret/index.ts';
import type { Range, Tensor, TensorProgram } from '../../compiler/ir/tensor/program.ts';
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import type { Argument } from '../../runtime/protocol/argument.ts';
import { planProgram } from '../../runtime/protocol/program.ts';
import { Draw } from './draw.ts';

export interface Subject {
  readonly program: TensorProgram;
  readonly gadgets: GadgetProgram;
  readonly argument: Argument;
  readonly digest: Uint8Array;
}

/** Row-major integers by tensor. */
export type Values = ReadonlyMap<number, readonly bigint[]>;

export interface SubjectOptions {
  /** For text: where `import`s are looked up. Default: the standard library. */
  readonly resolveImport?: CompileInput['resolveImport'];
  /** For text with several models: which one. */
  readonly model?: string;
  /** For text: types of what has none, by key. */
  readonly calibration?: CompileInput['calibration'];
  /** For text: other values of literal `dim`s and `const`s. */
  readonly overrides?: CompileInput['overrides'];
  /** How wide ranges are looked up. Default: as costs least. */
  readonly ranges?: RangePlan;
}

/**
 * Compiles and plans.
 * @throws Error with the compiler's diagnostics if there is no program to prove
 */
export async function createSubject(subject: TensorProgram | string, options: SubjectOptions = {}): Promise<Subject> {
  const { program, gadgets } =
    typeof subject === 'string' ? fromText(subject, options) : fromProgram(subject, options.ranges);
  const bare = (x: object): object => ({ ...x, span: undefined });
  const section = encode({
    ...gadgets,
    tensors: gadgets.tensors.map(bare),
    equations: gadgets.equations.map(bare),
  } as unknown as Plain);
  return { program, gadgets, argument: await planProgram(gadgets), digest: programDigest(section) };
}

function fromText(text: string, options: SubjectOptions): Pick<Subject, 'program' | 'gadgets'> {
  const { tensors, gadgets, diagnostics } = compile({ text, source: 'gadget.zkl', ...options });
  if (!tensors || !gadgets) throw refused(diagnostics);
  return options.ranges ? fromProgram(tensors, options.ranges) : { program: tensors, gadgets };
}

function fromProgram(program: TensorProgram, ranges?: RangePlan): Pick<Subject, 'program' | 'gadgets'> {
  const { gadgets, diagnostics } = lower(program, ranges);
  if (!gadgets) throw refused(diagnostics);
  return { program, gadgets };
}

const refused = (diagnostics: readonly Diagnostic[]): Error =>
  new Error(`there is nothing to prove:\n${diagnostics.map((d) => `  ${d.code} ${d.title}: ${d.label}`).join('\n')}`);

/**
 * Integers for every input of the program, extremes included. Where a value that follows from them would leave its range,
 * they are drawn again, smaller each time.
 * @throws Error if none can be found
 */
export function drawInputs(subject: Subject, seed: number): Values {
  const { program } = subject;
  for (let attempt = 0; attempt < 24; attempt++) {
    const draw = new Draw(attempt === 0 ? 'inputs' : `inputs ${attempt}`, seed);
    const narrowed = ({ range: { lo, hi }, type }: Tensor): Range =>
      type?.kind === 'index' ? { lo, hi } : { lo: lo >> BigInt(attempt >> 1), hi: hi >> BigInt(attempt >> 1) };
    const values = new Map(
      program.tensors
        .filter((t) => t.role === 'input')
        .map(
          (t) =>
            [
              t.id,
              draw.integers(
                narrowed(t),
                t.shape.reduce((n, d) => n * d, 1),
              ),
            ] as const,
        ),
    );
    try {
      expected(subject, values);
      return values;
    } catch (e) {
      if (!(e instanceof ValueError)) throw e;
    }
  }
  throw new Error(`no inputs of ${program.name} that keep all its values in their ranges were found`);
}

/** What the reference interpreter says the tensors of the statement are. */
export function expected({ program }: Subject, inputs: Values): Values {
  const given = new Map([...inputs].map(([id, values]) => [id, { shape: program.tensors[id].shape, values }] as const));
  return new Map([...interpret(program, given)].map(([id, { values }]) => [id, values] as const));
}
