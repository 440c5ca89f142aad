/** The examples of docs/library.md and README.md, run as they stand there. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { projectRoot, testWorkplace, tinyShape, type Workplace } from '../cli/run.ts';
import { makeLlama, modelFiles } from '../support/model.ts';

const entries: Readonly<Record<string, string>> = {
  zkl: 'index.ts',
  'zkl/verifier': 'runtime/verifier/index.ts',
  'zkl/formats': 'runtime/formats/index.ts',
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
  const [example, ofAdapter, ofModel, ...others] = blocks('docs/library.md', 'ts');

  test('has three examples', () => expect(others).toEqual([]));

  test('from text to a verdict', () => {
    const said = /dequantise\(.*\); \/\/ \[(.*)\]/.exec(example)?.[1];
    expect(run(testWorkplace(), example)).toBe(`Float64Array(4) [ ${said} ]\n`);
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
