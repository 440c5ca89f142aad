/** `zkl compile --emit`: a stage as text, on stdout or in a file that is no other. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { readArguments } from '../../../apps/command/parse/arguments.ts';
import type { Outcome } from '../../../apps/command/parse/command.ts';
import { commands } from '../../../apps/command/parse/commands.ts';
import { run as compileCommand } from '../../../apps/command/commands/compile.ts';
import { HostError } from '../../../apps/host/errors.ts';
import { CliError } from '../../../apps/command/errors.ts';
import { commandHelp } from '../../../apps/command/parse/help.ts';
import { createProgress } from '../../../apps/command/show/progress.ts';
import { encodeBundle } from '../../../compiler/bundle/bundle.ts';
import { compile } from '../../../compiler/index.ts';
import { printKernels } from '../../../compiler/ir/gadget/kernels.ts';
import { printGadgetProgram } from '../../../compiler/ir/gadget/print.ts';
import { printTensorProgram } from '../../../compiler/ir/tensor/print.ts';
import { inspect } from '../../../runtime/inspect/index.ts';
import { makeWorkplace } from './run.ts';

const PROGRAM = `model m {
  public x[3]: fixed<8, 4>
  secret w[3]: fixed<8, 4> from adapter "w"
  public y[i] = round<8, 4>(x[i] * w[i])
}
`;
const place = makeWorkplace();
const before = process.cwd();
process.chdir(place.path);
afterAll(() => {
  process.chdir(before);
  place.remove();
});
const source = place.file('p.zkl');
writeFileSync(source, PROGRAM);
const spec = commands.find((c) => c.name === 'compile')!;

/** Runs the command in this process. */
function run(...argv: string[]): Promise<Outcome> {
  return compileCommand(
    readArguments(spec, argv),
    createProgress(() => undefined),
  );
}

async function refusal(...argv: string[]): Promise<Error> {
  try {
    await run(...argv);
  } catch (error) {
    if (error instanceof CliError || error instanceof HostError) return error;
    throw error;
  }
  throw new Error(`${argv.join(' ')} was not refused`);
}

const compiled = compile({ text: PROGRAM, source });
const stages = {
  tensors: printTensorProgram(compiled.tensors!),
  gadgets: printGadgetProgram(compiled.gadgets!),
  kernels: printKernels(compiled.gadgets!),
};

describe.each(Object.entries(stages))('--emit %s', (stage, text) => {
  test('prints the stage instead of writing a bundle', async () => {
    const outcome = await run(source, '--emit', stage);
    expect(outcome).toMatchObject({ exit: 0, text: text.trimEnd(), json: { stage, text } });
    expect(outcome.wroteStdout ?? false).toBe(false);
  });

  test('writes it to a file, replaces it, and nothing else', async () => {
    // A directory of the stage's name is none that the command reads.
    mkdirSync(place.file(stage), { recursive: true });
    const output = `${stage}/p.txt`;
    for (const _ of [0, 1]) {
      const outcome = await run(source, '--emit', stage, '-o', output);
      expect(outcome).toMatchObject({ exit: 0, json: { stage, output, bytes: Buffer.byteLength(text) } });
      expect(readFileSync(output, 'utf8')).toBe(text);
    }
    const bundle = place.file('p.zkb');
    await run(source, '-o', bundle);
    const kept = readFileSync(bundle);
    for (const other of [bundle, source])
      expect((await refusal(source, '--emit', stage, '-o', other)).message).toContain('would be lost');
    expect(readFileSync(bundle)).toEqual(kept);
    expect((await refusal(source, '-o', output)).message).toContain('exists and is not a bundle');
  });
});

describe('--emit', () => {
  test('of an unknown stage names those that there are', async () => {
    for (const name of ['kernel', 'toString', 'all'])
      expect(await refusal('none.zkl', '--emit', name)).toMatchObject({
        message: `--emit is "${name}"`,
        remedy: 'give tensors, gadgets or kernels',
      });
    const { status, stdout, stderr } = place.zkl(['compile', 'p.zkl', '--emit', 'kernel']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toBe('zkl compile: --emit is "kernel"\n  give tensors, gadgets or kernels\n');
  });

  test('of a program with errors ends with 1 and writes nothing', async () => {
    const wrong = place.file('wrong.zkl');
    writeFileSync(wrong, PROGRAM.replace('w[i]', 'v[i]'));
    const output = place.file('wrong.txt');
    const outcome = await run(wrong, '--emit', 'gadgets', '-o', output);
    expect(outcome).toMatchObject({ exit: 1, text: expect.stringContaining('ZKL201') as string });
    expect(existsSync(output)).toBe(false);
  });

  test('is what makes -o optional', async () => {
    expect(await refusal(source)).toMatchObject({
      message: '-o FILE is missing: the bundle, or with --emit the text (default: stdout)',
    });
    expect(commandHelp(spec)).toContain('--emit STAGE');
  });

  test('goes to stdout as a whole', () => {
    expect(place.zkl(['compile', 'p.zkl', '--emit', 'gadgets'])).toEqual({
      status: 0,
      stdout: stages.gadgets,
      stderr: '',
    });
  });
});

test('inspect shows the kernels of the program, whatever the text beside it says', async () => {
  const gadgets = compiled.gadgets!;
  const { kernels, plan } = await inspect(encodeBundle({ gadgets, tensors: '', kernels: 'none', sources: [] }));
  expect(`${kernels.join('\n')}\n`).toBe(stages.kernels);
  for (const { equations } of plan.levels)
    for (const { terms } of equations) for (const term of terms) expect(stages.gadgets).toContain(`\n  ${term}\n`);
});
