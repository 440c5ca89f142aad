/** Imports run one way, and the verifier stands alone. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importsOf, reachable, root, sources, type Import } from './modules.ts';

const outside = (folder: string, allowed: readonly string[]): Import[] =>
  sources(folder)
    .flatMap(importsOf)
    .filter((e) => e.to.endsWith('.ts') && !allowed.some((a) => e.to.startsWith(a)));

describe('imports run one way', () => {
  test.each([
    ['grammar', ['grammar/']],
    ['compiler', ['compiler/', 'grammar/']],
    ['compiler/standard', ['compiler/standard/']],
    // Spans are data of the programs; where they point in a text is grammar's.
    ['compiler/ir', ['compiler/ir/', 'grammar/span.ts']],
    ['compiler/bundle', ['compiler/bundle/', 'compiler/ir/', 'grammar/span.ts']],
    ['runtime', ['runtime/', 'compiler/ir/', 'compiler/bundle/', 'grammar/span.ts']],
    ['runtime/integers', ['runtime/integers/', 'runtime/device/device.ts', 'compiler/ir/']],
    ['runtime/kernels', ['runtime/kernels/', 'runtime/field/', 'runtime/curve/']],
    [
      'runtime/protocol',
      ['runtime/protocol/', 'runtime/integers/', 'runtime/device/', 'compiler/bundle/version.ts', 'compiler/ir/'],
    ],
    [
      'runtime/verifier',
      [
        'runtime/verifier/',
        'runtime/protocol/',
        'runtime/integers/',
        'runtime/codec/',
        'runtime/device/',
        'compiler/ir/',
        'compiler/bundle/',
      ],
    ],
    ['models', ['models/', 'runtime/', 'compiler/', 'grammar/']],
    ['apps/host', ['apps/host/', 'models/', 'runtime/', 'compiler/ir/', 'compiler/bundle/', 'grammar/span.ts']],
    ['apps/command', ['apps/command/', 'apps/host/', 'models/', 'runtime/', 'compiler/', 'grammar/']],
    ['apps/page', ['apps/page/', 'models/', 'runtime/', 'compiler/', 'grammar/']],
  ])('%s', (folder, allowed) => {
    expect(outside(folder, allowed)).toEqual([]);
  });

  test('the library, whole, loads nothing that only Node has', () => {
    const packages = reachable('index.ts').filter((e) => !e.to.endsWith('.ts'));
    expect(packages.filter((e) => e.to.startsWith('node:'))).toEqual([]);
  });
});

describe('the verifier', () => {
  const loaded = reachable('runtime/verifier/index.ts');

  test('loads nothing of the prover, the compiler but the bundle format, or the command line', () => {
    const files = loaded
      .map((e) => e.to)
      .filter((f) => /^(runtime\/prover|compiler\/(?!bundle|ir)|grammar|models|apps|cli|test)\//.test(f));
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
    const loading = ['grammar', 'compiler', 'runtime', 'models', 'apps']
      .flatMap(sources)
      .filter((file) => /(?:from |import\()'webgpu'/.test(readFileSync(join(root, file), 'utf8')));
    expect(loading).toEqual(['runtime/device/webgpu/node.ts']);
    const reached = ['runtime/device/index.ts', 'runtime/verifier/index.ts', 'index.ts'].flatMap(reachable);
    expect(reached.filter((e) => e.to === loading[0])).toEqual([]);
  });
});

test('the page loads nothing that only Node has', () => {
  const packages = ['apps/page/main.ts', 'apps/page/worker/engine.ts']
    .flatMap(reachable)
    .filter((e) => !e.to.endsWith('.ts'));
  expect([...new Set(packages.map((e) => e.to.replace(/^(@[^/]+\/)?([^/]+).*/, '$1$2')))].sort()).toEqual([
    '@noble/curves',
    '@noble/hashes',
    'chevrotain',
    'fastest-levenshtein',
  ]);
});
