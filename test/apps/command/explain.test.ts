/** `zkl explain`: a code, its example as the compiler sees it now, and the remedy. */
import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readArguments } from '../../../apps/command/parse/arguments.ts';
import { commands } from '../../../apps/command/parse/commands.ts';
import { run as explainCommand } from '../../../apps/command/commands/explain.ts';
import { CliError } from '../../../apps/command/errors.ts';
import type { Outcome } from '../../../apps/command/parse/command.ts';
import { commandHelp } from '../../../apps/command/parse/help.ts';
import { createProgress } from '../../../apps/command/show/progress.ts';
import { compile } from '../../../compiler/index.ts';
import { codes } from '../../../grammar/codes/index.ts';
import { makeWorkplace } from './run.ts';

const spec = commands.find((c) => c.name === 'explain')!;

/** Runs the command in this process. */
const run = async (...argv: string[]): Promise<Outcome> =>
  explainCommand(
    readArguments(spec, argv),
    createProgress(() => undefined),
  );

describe('zkl explain', () => {
  test('shows the example with what the compiler says, and the example mended', async () => {
    const { exit, text, json } = await run('ZKL207');
    expect(exit).toBe(0);
    expect(text).toMatch(/^ZKL207: `NAME` takes one argument\n\n/);
    expect(text).toContain('  error[ZKL207]: `round` takes one argument\n    ┌─ example.zkl:3:17\n');
    expect(text).toContain('\n    public y[i] = round<8, 4>(x[i], 3)\n');
    expect(text).toMatch(/ Mended:\n\n[^]*\n {4}public y\[i\] = round<8, 4>\(x\[i\] \/ 3\)\n {2}\}$/);
    const { example, mended } = json as Record<string, { text: string; diagnostics: unknown }>;
    expect(compile({ text: example.text }).diagnostics.map((d) => d.code)).toEqual(['ZKL207']);
    expect(example.diagnostics).toMatchObject([{ code: 'ZKL207', severity: 'error', line: 3, column: 17 }]);
    expect(mended.diagnostics).toEqual([]);
  });

  test.each(['207', 'zkl207', 'Zkl207'])('takes %s', async (given) => {
    expect(await run(given)).toEqual(await run('ZKL207'));
  });

  test('says what else was given', async () => {
    expect((await run('217')).text).toContain('For example, with --dim T=four:');
    expect((await run('416')).text).toContain('with the calibration layers.0/h fixed<16, 8>, layers.1/h fixed<17, 8>');
  });

  test('lists all codes', async () => {
    const { text, json } = await run();
    expect(text.split('\n').map((line) => line.slice(0, 6))).toEqual(Object.keys(codes).sort());
    expect((json as { codes: unknown[] }).codes).toHaveLength(Object.keys(codes).length);
    expect(commandHelp(spec)).toContain('usage: zkl explain [CODE] [options]');
  });

  test('names the nearest codes for one that is not there', async () => {
    const refused = await run('299').catch((e: unknown) => e);
    expect(refused).toBeInstanceOf(CliError);
    expect(refused).toMatchObject({ remedy: 'the nearest are ZKL301, ZKL302, ZKL303; zkl explain lists all' });
    await expect(run('toString')).rejects.toThrow('there is no code "toString"');
  });
});

test('a program with errors names the command', () => {
  const place = makeWorkplace();
  try {
    writeFileSync(place.file('broken.zkl'), 'model m {\n  public y = x\n}\n');
    const { status, stderr } = place.zkl(['check', 'broken.zkl']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/\n1 error, 0 warnings; zkl explain ZKL201 says more\n$/);
    expect(place.zkl(['explain', '299']).status).toBe(2);
  } finally {
    place.remove();
  }
});
