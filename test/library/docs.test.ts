/** The examples of docs/library.md and README.md, run as they stand there. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { bytesSource, inputsFromJson, inputsFromSafetensors, samplesFromJson } from '../../models/index.ts';
import { projectRoot, testWorkplace, tinyShape, type Workplace } from '../apps/command/run.ts';
import { makeLlama, modelFiles } from '../support/model.ts';

const entries: Readonly<Record<string, string>> = {
  zkl: 'index.ts',
  'zkl/verifier': 'runtime/verifier/index.ts',
  'zkl/formats': 'models/index.ts',
};

/** Blocks of one language, in order. */
const blocks = (file: string, language: string): string[] =>
  [
    ...readFileSync(join(projectRoot, file), 'utf8').matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g')),
  ].map((match) => match[1]);

/** With the package's names as this checkout has them. */
function run(place: Workplace, code: string, name = 'example.ts'): string {
  const here = code.replace(/ from '(zkl[\w/]*)'/g, (_, entry: string) => {
    expect(Object.keys(entries)).toContain(entry);
    return ` from '${pathToFileURL(join(projectRoot, entries[entry])).href}'`;
  });
  place.write(name, here);
  const { status, stdout, stderr } = spawnSync(process.execPath, [place.file(name)], {
    cwd: place.path,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

describe('docs/library.md', () => {
  const [example, ofSteps, ofAdapter, ofModel, ...others] = blocks('docs/library.md', 'ts');

  test('has four examples', () => expect(others).toEqual([]));

  test('from text to a verdict', () => {
    const said = /dequantise\(.*\); \/\/ \[(.*)\]/.exec(example)?.[1];
    expect(run(testWorkplace(), example)).toBe(`Float64Array(4) [ ${said} ]\n`);
  });

  test('from one step to the next', () => {
    const said = /totals.*\); \/\/ (.*)/.exec(ofSteps)?.[1];
    expect(run(testWorkplace(), ofSteps)).toBe(`${said}\n`);
  });

  test("from an adapter's folder", () => {
    const place = testWorkplace();
    place.adapter('adapter', tinyShape);
    expect(run(place, ofAdapter)).toBe('true true\ntrue\n');
  });

  test('a whole model', () => {
    const place = testWorkplace();
    mkdirSync(place.file('model'));
    for (const [name, content] of modelFiles(makeLlama())) writeFileSync(place.file(`model/${name}`), content);
    expect(run(place, ofModel)).toBe('true true true\ntrue\n');
  });
});

describe('README.md', () => {
  const [files, ...others] = blocks('README.md', 'js');

  test('makes files of inputs that the commands read', async () => {
    expect(others).toEqual([]);
    const place = testWorkplace();
    const given = `
      const activations = Float32Array.from({ length: 15 * 768 }, (_, i) => (i % 7) / 8);
      const texts = ['first', 'second'];
      const tokenizer = { encode: (text) => Array.from({ length: 70 }, (_, i) => (i * text.length) % 11) };`;
    run(place, files.replace(/^(?!import)/m, `${given}\n`), 'example.mjs');
    const index = { kind: 'index', size: 11 } as const;
    const tokens = [{ name: 'tokens', shape: [64], type: index }];
    const samples = samplesFromJson(place.read('samples.json').toString(), 'samples.json', tokens);
    expect(samples.map((s) => s.targets?.length)).toEqual([64, 64]);
    expect(inputsFromJson(place.read('tokens.json').toString(), 'tokens.json', tokens).get('tokens')).toHaveLength(64);
    const x = [{ name: 'x', shape: [15, 768], type: { kind: 'fixed', bits: 16, frac: 8 } } as const];
    const source = bytesSource('x.safetensors', place.read('x.safetensors'));
    expect((await inputsFromSafetensors(source, x)).get('x')?.[6]).toBe(0.75);
  });
});
