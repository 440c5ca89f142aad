import { CliError } from '../errors.ts';
import type { Json, Run } from '../parse/command.ts';
import { gather } from './facts.ts';
import { diagnose, type Finding, type Level } from './findings.ts';

export const run: Run = async (args) => {
  const device = args.value('device') ?? 'auto';
  if (!['auto', 'wasm', 'webgpu'].includes(device))
    throw new CliError(`doctor knows nothing about a device "${device}"`, 'use --device webgpu, or leave it out');
  const facts = await gather();
  const { findings, ok, verdict } = diagnose(facts, device === 'webgpu');
  return {
    exit: ok ? 0 : 1,
    onStdout: true,
    text: [...findings.map(findingText), '', verdict].join('\n'),
    json: { verdict, findings: findings as unknown as Json, facts: facts as unknown as Json },
  };
};

const marks: Readonly<Record<Level, string>> = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL', skip: '-   ' };

/** The remedy in a line of its own, to copy. */
const findingText = ({ level, title, evidence, remedy }: Finding): string =>
  [
    `${marks[level]}  ${title}`,
    ...evidence.map((line) => `        ${line}`),
    ...(remedy === undefined ? [] : [`      > ${remedy}`]),
  ].join('\n');
