/** What the caller of the checker chooses: models, dimensions, calibration, files. */
import { describe, expect, test } from 'vitest';
import { check } from '../../compiler/check/index.ts';
import type { FixedType } from '../../compiler/check/index.ts';
import { printTensorProgram } from '../../compiler/ir/tensor/print.ts';
import { verifyTensorProgram } from '../../compiler/ir/tensor/verify.ts';
import { parse } from '../../grammar/index.ts';
import { checkText } from './standard.ts';

const TWO = `
model first {
  dim T = 4, D = 2 * T
  const c = 3, half = -0.5, derived = c / 2
  secret x[T, D]: fixed<8, 4>
  public y[t, d] = derived * x[t, d] + half
}
model second {
  secret x[2]: fixed<8, 4>
  public y[t] = x[t]
}
`;

const codes = (checked: ReturnType<typeof checkText>): string[] => checked.all.map((d) => d.code);

describe('models', () => {
  test('all of them, or one', () => {
    expect(checkText(TWO).programs.map((p) => p.name)).toEqual(['first', 'second']);
    expect(checkText(TWO, { model: 'second' }).programs.map((p) => p.name)).toEqual(['second']);
    const wrong = checkText(TWO, { model: 'secnd' });
    expect(wrong.all).toMatchObject([{ code: 'ZKL241', help: 'did you mean `second`?' }]);
  });

  test('a file of blocks alone is no error', () => {
    expect(checkText('block f(x[N]) -> y[N] {\n  y = x\n}\n')).toMatchObject({ programs: [], all: [] });
  });
});

describe('overrides', () => {
  const shape = (overrides: Record<string, string | number>): readonly number[] | undefined =>
    checkText(TWO, { model: 'first', overrides }).programs.at(0)?.tensors[0].shape;

  test('replace literals, and what is derived follows', () => {
    expect(shape({})).toEqual([4, 8]);
    expect(shape({ T: 6 })).toEqual([6, 12]);
    expect(shape({ T: '3', c: '2.5', half: 1e-3 })).toEqual([3, 6]);
    const { programs } = checkText(TWO, { model: 'first', overrides: { c: 4, half: 0 } });
    expect(programs[0].tensors[1].scale).toEqual({ num: 1n, den: 8n });
  });

  test('derived, unknown and impossible ones are errors', () => {
    const wrong: [code: string, overrides: Record<string, string | number>][] = [
      ['ZKL244', { D: 3 }],
      ['ZKL244', { derived: 1 }],
      ['ZKL217', { T: 0 }],
      ['ZKL217', { T: -1 }],
      ['ZKL217', { T: 1.5 }],
      ['ZKL217', { T: 'four' }],
      ['ZKL217', { c: '' }],
    ];
    for (const [code, overrides] of wrong) expect(codes(checkText(TWO, { model: 'first', overrides }))).toContain(code);
    const unknown = checkText(TWO, { model: 'first', overrides: { halv: 1 } });
    expect(unknown.all).toMatchObject([{ code: 'ZKL245', help: 'did you mean `half`?' }]);
    expect(codes(checkText(TWO, { model: 'first', overrides: { toString: 1 } }))).toEqual(['ZKL245']);
  });
});

describe('calibration', () => {
  const text = `
block norm(x[N]) -> y[N] {
  s    = round(1 / (1 + sum(i) x[i] * x[i]))
  y[i] = round(x[i] * s)
}
model m at "net" {
  secret x[4]: fixed<8, 4>
  open g[4] from base "gain"
  a = norm(x) at "first"
  repeat l: 2 at "layers.{l}" {
    h    = norm(a)
    a'   = round(a + h)
  }
  repeat k: 2 {
    e    = norm(a)
    a'   = round(a + e)
  }
  public y[i] = a[i] * g[i]
}
`;

  test('keys are checkpoint paths and defined names; a carried value takes one where iterations have paths', () => {
    expect(checkText(text).uncalibrated.map((u) => u.key)).toEqual([
      'base:net.gain',
      'net.first/a/s',
      'net.first/a/y',
      'net.layers.0/h/s',
      'net.layers.0/h/y',
      "net.layers.0/a'",
      'net.layers.1/h/s',
      'net.layers.1/h/y',
      "net.layers.1/a'",
      'net/e/s',
      'net/e/y',
    ]);
    expect(checkText(text).programs).toEqual([]);
    expect(codes(checkText(text))).toEqual([]);
    expect(codes(checkText(text, { forProof: true })).every((code) => code === 'ZKL404')).toBe(true);
  });

  test('gives every name its type', () => {
    const { uncalibrated } = checkText(text);
    const calibration = Object.fromEntries(uncalibrated.map(({ key }, k) => [key, { bits: 16, frac: 8 + (k % 3) }]));
    const { programs, uncalibrated: left } = checkText(text, { calibration, forProof: true });
    expect(left).toEqual([]);
    expect(verifyTensorProgram(programs[0])).toEqual([]);
    const type = (name: string): unknown => programs[0].tensors.find((t) => t.name === name)?.type;
    expect(type('a')).toEqual({ kind: 'fixed', bits: 16, frac: 10 });
    expect(type("l[1]/a'")).toEqual(type('a'));
    expect(type('k[0]/e/s')).toEqual(type('k[1]/e/s'));
  });

  test('a carried value may differ in scale from iteration to iteration, not in width', () => {
    const given = (a: FixedType, first: FixedType, second: FixedType): ReturnType<typeof checkText> => {
      const all = checkText(text).uncalibrated.map(({ key }) => [key, { bits: 16, frac: 8 }] as const);
      const own: Record<string, FixedType> = {
        'net.first/a/y': a,
        "net.layers.0/a'": first,
        "net.layers.1/a'": second,
      };
      return checkText(text, { calibration: Object.fromEntries([...all, ...Object.entries(own)]) });
    };
    const fine = given({ bits: 16, frac: 12 }, { bits: 16, frac: 11 }, { bits: 16, frac: 10 });
    const type = (name: string): unknown => fine.programs[0].tensors.find((t) => t.name === name)?.type;
    expect(["l[0]/a'", "l[1]/a'", "k[1]/a'"].map(type)).toEqual(
      [11, 10, 10].map((frac) => ({ kind: 'fixed', bits: 16, frac })),
    );
    const [sixteen, twelve] = [16, 12].map((bits) => ({ bits, frac: 8 }));
    expect(codes(given(sixteen, twelve, twelve))).toContain('ZKL427');
    expect(codes(given(sixteen, sixteen, twelve))).toContain('ZKL416');
  });

  test('iterations may differ in scale, not in width; types have limits', () => {
    const give = (first: FixedType, second: FixedType): string[] => {
      const calibration = Object.fromEntries(
        checkText(text).uncalibrated.map(({ key }) => [key, { bits: 16, frac: 8 }]),
      );
      const given = { ...calibration, 'net.layers.0/h/s': first, 'net.layers.1/h/s': second };
      return codes(checkText(text, { calibration: given }));
    };
    expect(give({ bits: 16, frac: 8 }, { bits: 16, frac: 9 })).toEqual([]);
    expect(give({ bits: 16, frac: 8 }, { bits: 17, frac: 8 })).toEqual(['ZKL416']);
    expect(give({ bits: 65, frac: 8 }, { bits: 16, frac: 8 })).toContain('ZKL408');
    expect(give({ bits: 16, frac: 0.5 }, { bits: 16, frac: 8 })).toContain('ZKL408');
  });

  test('a type that is named like a property of every object is not one', () => {
    const { programs, uncalibrated } = checkText(
      'model m {\n  secret x[1]: fixed<8, 4>\n  public valueOf[t] = round(x[t] / 3)\n}\n',
    );
    expect(programs).toEqual([]);
    expect(uncalibrated.map((u) => u.key)).toEqual(['valueOf']);
  });
});

describe('types of gradients', () => {
  const text = `
block square(x[N]) -> y[N] {
  y[i] = round(x[i] * x[i])

  derivative(dy) -> dx {
    e[i] = round(dy[i] / 16)
    dx[i] = round(2 * x[i] * e[i] + 4000)
  }
}
model m at "net" {
  secret x[4]: fixed<8, 4>
  h = round(x)
  public y = square(h) at "first"
}
`;
  const forward = { 'net/h': { bits: 8, frac: 4 }, 'net.first/y/y': { bits: 16, frac: 8 } };
  const gradients = {
    'net.first/y/y.grad': { bits: 16, frac: 8 },
    'net.first/y/e.grad': { bits: 16, frac: 8 },
    'net.first/y/dx.grad': { bits: 12, frac: 4 },
  };

  test('are not asked for, and nothing that hangs on them is told, unless calibration has all of them', () => {
    expect(checkText(text).uncalibrated.map((u) => u.key)).toEqual(Object.keys(forward));
    expect(checkText(text).all).toEqual([]);
    expect(checkText(text, { calibration: forward, forProof: true })).toMatchObject({ all: [], uncalibrated: [] });
    const told = checkText(text, { calibration: { ...forward, ...gradients } });
    expect(told.all.map((d) => `${d.code} ${d.title}`)).toEqual(['ZKL409 `fixed<12, 4>` never holds this']);
    for (const key of Object.keys(gradients)) {
      const calibration = Object.fromEntries(Object.entries({ ...forward, ...gradients }).filter(([k]) => k !== key));
      expect(checkText(text, { calibration }).all).toEqual([]);
    }
    const wide = { ...forward, ...gradients, 'net.first/y/dx.grad': { bits: 24, frac: 4 } };
    expect(checkText(text, { calibration: wide })).toMatchObject({ all: [], uncalibrated: [] });
  });

  test('and what a derivative says leaves no trace in the program', () => {
    const without = text.replace(/derivative[\s\S]*?\n {2}}\n/, '');
    const [a, b] = [text, without].map((t) => checkText(t, { calibration: forward }).programs[0]);
    expect(printTensorProgram(a)).toBe(printTensorProgram(b));
  });
});

describe('files', () => {
  const files: Record<string, string> = {
    a: 'import { g } from "b"\nblock f(x[N]) -> y[N] {\n  y = g(x)\n}\n',
    b: 'table t(x: fixed<4, 0>) -> fixed<4, 0> = -x - 1\nblock g(x[N]) -> y[N] {\n  y = t(round(x))\n}\n',
    broken: 'block f(x[N]) -> y[N] {\n  y = = x\n}\n',
  };
  const withFiles = (text: string): ReturnType<typeof check> => {
    const parsed = parse(text, 'main.zkl');
    const resolveImport = (name: string): { source: string; text: string } | undefined =>
      Object.hasOwn(files, name) ? { source: `${name}.zkl`, text: files[name] } : undefined;
    return check({ program: parsed.program, source: 'main.zkl', resolveImport });
  };

  test('a block sees the names of its own file only', () => {
    const { programs, diagnostics } = withFiles(
      'import { f } from "a"\nmodel m {\n  secret x[2]: fixed<4, 0>\n  public y = f(x)\n}\n',
    );
    expect(diagnostics).toEqual([]);
    expect(programs[0].tables.map((t) => t.name)).toEqual(['t']);
    const hidden = withFiles('import { f } from "a"\nmodel m {\n  secret x[2]: fixed<4, 0>\n  public y = f(t(x))\n}\n');
    expect(hidden.diagnostics.map((d) => d.code)).toEqual(['ZKL201']);
  });

  test('syntax errors of an imported file are told with its name', () => {
    const { diagnostics } = withFiles(
      'import { f } from "broken"\nmodel m {\n  secret x[2]: fixed<4, 0>\n  public y = f(x)\n}\n',
    );
    expect(diagnostics.some((d) => d.code.startsWith('ZKL1') && d.span.source === 'broken.zkl')).toBe(true);
  });
});

describe('broken tensor programs', () => {
  test('are told apart from sound ones', () => {
    const [program] = checkText(TWO, { model: 'first' }).programs;
    const [x, y] = program.tensors;
    const [equation] = program.equations;
    const changes = [
      { tensors: [x, { ...y, name: x.name }] },
      { tensors: [x, { ...y, scale: { num: 2n, den: 4n } }] },
      { tensors: [x, { ...y, shape: [4, 9] }] },
      { tensors: [{ ...x, range: { lo: 1n, hi: 0n } }, y] },
      { tensors: [{ ...x, role: 'inner' as const }, y] },
      { equations: [] },
      { equations: [equation, equation] },
      { equations: [{ ...equation, indices: [] }] },
      { statement: [0] },
    ];
    expect(verifyTensorProgram(program)).toEqual([]);
    for (const change of changes) expect(verifyTensorProgram({ ...program, ...change })).not.toEqual([]);
  });
});
