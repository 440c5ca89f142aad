/** What of a tensor program is given: sources with their layouts, and which declared tensors are public or in a source. */
import type { CommittedSource, GadgetTensorClass } from '../ir/gadget/program.ts';
import type { TensorProgram } from '../ir/tensor/program.ts';
import { layOut, type FileTensor } from './layout.ts';

/** The sources, by name. */
export function committedSources(program: TensorProgram): CommittedSource[] {
  const bySource = new Map<string, FileTensor[]>();
  const open = new Set<string>();
  for (const t of program.tensors) {
    if (!t.file || t.type?.kind !== 'fixed') continue;
    if (t.visibility === 'open') open.add(t.file.source);
    const list = bySource.get(t.file.source) ?? [];
    for (const name of t.file.names)
      list.push({ name, shape: t.shape.slice(t.file.stacked), bits: t.type.bits, frac: t.type.frac });
    bySource.set(t.file.source, list);
  }
  return [...bySource].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, files]) => layOut(name, files, open.has(name)));
}

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
