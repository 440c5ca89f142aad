/** Golden cases of the checker: what programs become, and what every diagnostic looks like. */
import { describe, expect, test } from 'vitest';
import { renderDiagnostics } from '../../grammar/render.ts';
import { printTensorProgram } from '../../compiler/ir/tensor/print.ts';
import { verifyTensorProgram } from '../../compiler/ir/tensor/verify.ts';
import { cases, golden } from '../golden/golden.ts';
import { calibrateAll, checkText, textOf } from './standard.ts';
import type { Checked } from './standard.ts';

/** `// calibration: fixed<16, 10>` in a case gives that type to everything without one; `// for proof` asks for a proof. */
function checkCase(source: string): Checked {
  const options = { forProof: source.includes('// for proof\n') };
  const calibration = /^\/\/ calibration: fixed<(\d+), (\d+)>$/m.exec(source);
  if (calibration === null) return checkText(source, options);
  return calibrateAll(source, { bits: Number(calibration[1]), frac: Number(calibration[2]) }, options);
}

function sections(source: string, checked: Checked): Record<string, string> {
  return {
    SOURCE: source,
    ...(checked.all.length > 0 ? { PROBLEMS: renderDiagnostics(checked.all, (name) => textOf(name, source)) } : {}),
    ...(checked.uncalibrated.length > 0 ? { UNCALIBRATED: checked.uncalibrated.map(({ key }) => key).join('\n') } : {}),
    ...(checked.programs.length > 0 ? { TENSORS: checked.programs.map(printTensorProgram).join('\n') } : {}),
  };
}

describe('programs', () => {
  test.each(cases('compiler/programs'))('$name', ({ file, source }) => {
    const checked = checkCase(source);
    golden(file, sections(source, checked));
    expect(checked.all.filter((d) => d.severity === 'error')).toEqual([]);
    expect(checked.programs).toHaveLength(1);
    for (const program of checked.programs) expect(verifyTensorProgram(program)).toEqual([]);
  });

  test('the same source gives the same program', () => {
    for (const { source } of cases('compiler/programs').slice(0, 8)) {
      const [a, b] = [checkCase(source), checkCase(source)].map((c) => c.programs.map(printTensorProgram));
      expect(a).toEqual(b);
    }
  });
});

describe('problems', () => {
  test.each(cases('compiler/problems'))('$name', ({ name, file, source }) => {
    const checked = checkCase(source);
    golden(file, sections(source, checked));
    const code = /^\d{3}/.exec(name)?.[0];
    if (code !== undefined) expect(checked.all.map((d) => d.code)).toContain(`ZKL${code}`);
    else expect(checked.all).not.toEqual([]);
    for (const d of checked.all) {
      const text = textOf(d.span.source, source) ?? '';
      expect(d.span.end).toBeLessThanOrEqual(text.length);
    }
  });
});
