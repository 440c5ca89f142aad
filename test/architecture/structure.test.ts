/** No file needs itself to be loaded, and no folder is more than one can look over. */
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { importsOf, sources } from './modules.ts';

const MOST_FILES = 12;

const files = [
  'index.ts',
  ...['grammar', 'compiler', 'stdlib', 'models', 'runtime', 'cli', 'apps', 'examples'].flatMap(sources),
].sort();

/** Sets of nodes that reach each other (Tarjan 1972): those of two and more, and nodes with an edge to themselves. */
function cycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const index = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const onPath = new Set<string>();
  const visit = (node: string): number => {
    const own = index.size;
    index.set(node, own);
    lowest.set(node, own);
    path.push(node);
    onPath.add(node);
    for (const next of edges.get(node) ?? []) {
      const reached = index.has(next) ? (onPath.has(next) ? index.get(next)! : own) : visit(next);
      lowest.set(node, Math.min(lowest.get(node)!, reached));
    }
    if (lowest.get(node) === own) {
      const component = path.splice(path.lastIndexOf(node));
      for (const member of component) onPath.delete(member);
      if (component.length > 1 || edges.get(node)?.includes(node)) found.push(component.sort());
    }
    return lowest.get(node)!;
  };
  for (const node of edges.keys()) if (!index.has(node)) visit(node);
  return found;
}

test('cycles are found', () => {
  const graph = (edges: Record<string, string[]>): string[][] => cycles(new Map(Object.entries(edges)));
  expect(graph({ a: ['b', 'c'], b: ['c'], c: [] })).toEqual([]);
  expect(graph({ a: ['b'], b: ['c'], c: ['b', 'd'], d: [], e: ['e'] })).toEqual([['b', 'c'], ['e']]);
});

test('no file imports one that imports it, types apart', () => {
  const values = (file: string): string[] =>
    importsOf(file)
      .filter((e) => !e.typeOnly && e.to.endsWith('.ts'))
      .map((e) => e.to);
  expect(cycles(new Map(files.map((file) => [file, values(file)] as const)))).toEqual([]);
});

test(`no folder has more than ${MOST_FILES} files`, () => {
  const folders = Map.groupBy(files, dirname);
  const large = [...folders].filter(([, own]) => own.length > MOST_FILES);
  expect(large.map(([folder, own]) => `${folder}: ${own.length}`)).toEqual([]);
});
