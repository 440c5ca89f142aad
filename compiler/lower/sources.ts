/**
 * What of a tensor program is given: sources and outputs with their layouts, and which declared tensors are public, in a source,
 * or in an output as they are.
 */
import type { CommittedSource, GadgetTensorClass } from '../ir/gadget/program.ts';
import { signedBits } from '../ir/numbers/rational.ts';
import type { Equation, TensorProgram, TensorType } from '../ir/tensor/program.ts';
import { layOut, layOutState, type FileTensor } from './layout.ts';

/** The sources, by name. */
export function committedSources(program: TensorProgram): CommittedSource[] {
  const bySource = new Map<string, FileTensor[]>();
  const open = new Set<string>();
  for (const t of program.tensors) {
    if (!t.file || t.type === undefined) continue;
    if (t.visibility === 'open') open.add(t.file.source);
    const list = bySource.get(t.file.source) ?? [];
    for (const name of t.file.names)
      list.push({ name, shape: t.shape.slice(t.file.stacked), ...committedType(t.type) });
    bySource.set(t.file.source, list);
  }
  const isState = (name: string): boolean => program.stateSources?.includes(name) ?? false;
  return [...bySource]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, files]) => (isState(name) ? layOutState(name, files) : layOut(name, files, open.has(name))));
}

/** The type of the integers that are committed to: indices are committed to as numbers of as many bits, and a sign. */
export const committedType = (type: TensorType): { readonly bits: number; readonly frac: number } =>
  type.kind === 'fixed' ? { bits: type.bits, frac: type.frac } : { bits: signedBits(BigInt(type.size - 1)), frac: 0 };

/** The layouts of the outputs. Each of their tensors has a type of fixed-point numbers. */
export const outputLayouts = ({ outputs = [], tensors }: TensorProgram): CommittedSource[] =>
  outputs.map((o) =>
    layOutState(
      o.name,
      o.tensors.map(({ name, tensor }): FileTensor => {
        const { shape, type } = tensors[tensor];
        if (type?.kind !== 'fixed') throw new Error(`internal error: the output ${name} has no type`);
        return { name, shape, bits: type.bits, frac: type.frac };
      }),
    ),
  );

/**
 * Where the tensors of the outputs are, by tensor. One that is rounded is committed as it is; of others, which equations or
 * tables define, a copy is.
 */
export function outputPlaces(
  program: TensorProgram,
  sources: number,
  layouts: readonly CommittedSource[],
): ReadonlyMap<number, CommittedClass> {
  const places = new Map<number, CommittedClass>();
  for (const [k, o] of (program.outputs ?? []).entries())
    for (const { name, tensor } of o.tensors) {
      const file = layouts[k].tensors.findIndex((t) => t.name === name);
      places.set(tensor, { kind: 'committed', source: sources + k, stacked: 0, files: [file] });
    }
  return places;
}

/** Whether what an equation defines can be committed to as it is, and shown to be in its type. */
export const isCommittable = ({ definition: d }: Equation): boolean => d.kind === 'round' && d.clamp === undefined;

export type CommittedClass = Extract<GadgetTensorClass, { readonly kind: 'committed' }>;

export type GivenClass = Extract<GadgetTensorClass, { readonly kind: 'input' | 'output' | 'committed' }>;

/** The classes of the declared tensors that are public or in a source. */
export function givenClasses(
  program: TensorProgram,
  sources: readonly CommittedSource[],
): ReadonlyMap<number, GivenClass> {
  const classes = new Map<number, GivenClass>();
  const positions = sources.map((s) => new Map(s.tensors.map((t, k) => [t.name, k] as const)));
  for (const t of program.tensors) {
    if (t.visibility === 'public' && t.role !== 'inner') classes.set(t.id, { kind: t.role });
    if (!t.file) continue;
    const source = sources.findIndex((s) => s.name === t.file?.source);
    const files = t.file.names.map((name) => positions[source].get(name) ?? -1);
    classes.set(t.id, { kind: 'committed', source, stacked: t.file.stacked, files });
  }
  return classes;
}
