/** No file needs itself to be loaded, no folder is more than one can look over, and files that are named in words are there. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { importsOf, root, sources } from './modules.ts';

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

test('files that comments and documents name are there', () => {
  const written = ['.', 'docs'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );
  const all = [...files, ...sources('test'), ...written, 'vitest.config.ts'];
  const goldens = readdirSync(join(root, 'test/golden'), { recursive: true, encoding: 'utf8' });
  // A name without its folder, or with the last of them, will do.
  const ends = new Set(
    [...all, ...goldens].flatMap((file) => file.split('/').map((_, k, parts) => parts.slice(k).join('/'))),
  );
  const wrong = all.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/`([\w./-]+\.(?:ts|md))`/g)]
      .filter(([, name]) => !ends.has(name.replace(/^\.\//, '')))
      .map(([, name]) => `${file}: ${name}`),
  );
  expect(wrong).toEqual([]);
});
