/** Imports run one way, and the verifier stands alone. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** Exact arithmetic, and which tensors a definition reads: nothing of the compiler's stages. */
const arithmetic = ['rational', 'rounding', 'reads'].map((name) => `compiler/tensor/${name}.ts`);

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

/** Static imports and re-exports of a file; relative ones as paths from the root, packages by name. */
function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const found = [...text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)';/gm)];
  return found.map(([, type, target]) => ({
    from: file,
    to: target.startsWith('.') ? relative(root, join(root, dirname(file), target)) : target,
    typeOnly: type !== undefined,
  }));
}

const sources = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((f) => f.endsWith('.ts'))
    .map((f) => join(folder, f));

/** Everything that running `entry` loads, types left out. */
function reachable(entry: string): Import[] {
  const seen = new Set<string>();
  const edges: Import[] = [];
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const edge of importsOf(file).filter((e) => !e.typeOnly)) {
      edges.push(edge);
      if (edge.to.endsWith('.ts')) visit(edge.to);
    }
  };
  visit(entry);
  return edges;
}

const outside = (folder: string, allowed: readonly string[]): Import[] =>
  sources(folder)
    .flatMap(importsOf)
    .filter((e) => e.to.endsWith('.ts') && !allowed.some((a) => e.to.startsWith(a)));

describe('imports run one way', () => {
  test.each([
    ['grammar', ['grammar/']],
    ['compiler', ['compiler/', 'grammar/']],
    [
      'runtime',
      ['runtime/', 'compiler/gadget/program.ts', 'compiler/tensor/program.ts', 'compiler/bundle/', ...arithmetic],
    ],
    [
      'runtime/protocol',
      [
        'runtime/protocol/',
        'runtime/device/',
        'compiler/bundle/version.ts',
        'compiler/gadget/program.ts',
        'compiler/tensor/program.ts',
      ],
    ],
    [
      'runtime/verifier',
      [
        'runtime/verifier/',
        'runtime/protocol/',
        'runtime/codec/',
        'runtime/device/',
        'compiler/gadget/program.ts',
        'compiler/tensor/program.ts',
        'compiler/bundle/',
      ],
    ],
    ['library', ['library/', 'compiler/', 'grammar/', 'runtime/']],
    ['command', ['command/', 'library/', 'compiler/', 'grammar/', 'runtime/']],
    ['page', ['page/', 'library/', 'compiler/', 'grammar/', 'runtime/']],
  ])('%s', (folder, allowed) => {
    expect(outside(folder, allowed)).toEqual([]);
  });

  test('the library, whole, loads nothing that only Node has', () => {
    const packages = reachable('index.ts').filter((e) => !e.to.endsWith('.ts'));
    expect(packages.filter((e) => e.to.startsWith('node:'))).toEqual([]);
  });

  test('the runtime takes only types from the gadget and tensor programs', () => {
    const values = sources('runtime')
      .flatMap(importsOf)
      .filter((e) => /^compiler\/(gadget|tensor)\//.test(e.to) && !arithmetic.includes(e.to) && !e.typeOnly);
    expect(values).toEqual([]);
  });
});

describe('the verifier', () => {
  const loaded = reachable('runtime/verifier/index.ts');

  test('loads nothing of the prover, the compiler but the bundle format, or the command line', () => {
    const files = loaded
      .map((e) => e.to)
      .filter((f) => /^(runtime\/prover|compiler\/(?!bundle)|grammar|command|cli|test)\//.test(f));
    expect(files).toEqual([]);
  });

  test.each(['runtime/verifier/index.ts', 'runtime/device/wasm/index.ts'])(
    '%s loads nothing that only Node has',
    (entry) => {
      const packages = reachable(entry).filter((e) => !e.to.endsWith('.ts'));
      expect(packages.filter((e) => !e.to.startsWith('@noble/'))).toEqual([]);
    },
  );
});

describe('npm webgpu', () => {
  test('is loaded by one file, which nothing of a browser reaches', () => {
    const loading = ['grammar', 'compiler', 'runtime', 'library', 'command']
      .flatMap(sources)
      .filter((file) => /(?:from |import\()'webgpu'/.test(readFileSync(join(root, file), 'utf8')));
    expect(loading).toEqual(['runtime/device/webgpu/node.ts']);
    const reached = ['runtime/device/index.ts', 'runtime/verifier/index.ts', 'index.ts'].flatMap(reachable);
    expect(reached.filter((e) => e.to === loading[0])).toEqual([]);
  });
});

test('the page loads nothing that only Node has', () => {
  const packages = ['page/main.ts', 'page/engine.ts'].flatMap(reachable).filter((e) => !e.to.endsWith('.ts'));
  expect([...new Set(packages.map((e) => e.to.replace(/^(@[^/]+\/)?([^/]+).*/, '$1$2')))].sort()).toEqual([
    '@noble/curves',
    '@noble/hashes',
    'chevrotain',
    'fastest-levenshtein',
  ]);
});
