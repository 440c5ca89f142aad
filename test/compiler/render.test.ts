/** Diagnostics as text. */
import { describe, expect, test } from 'vitest';
import { PLAIN, renderDiagnostic, renderDiagnostics } from '../../grammar/render.ts';
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import type { Span } from '../../grammar/span.ts';

const TEXT = 'let a = 1\n\n\tb = a + c\nlast';
const spanOf = (part: string, source = 'f.zkl', text = TEXT): Span => {
  const start = text.indexOf(part);
  return { source, start, end: start + part.length };
};
const text = (source: string): string | undefined =>
  source === 'f.zkl' ? TEXT : source === 'g.zkl' ? 'other\n' : undefined;
const base: Diagnostic = {
  code: 'ZKL201',
  severity: 'error',
  title: 'unknown name `c`',
  span: spanOf('c'),
  label: 'not defined',
};

describe('rendering', () => {
  test('a frame with the label on the span, further labels in order of their lines', () => {
    const d: Diagnostic = { ...base, notes: [{ span: spanOf('a = 1'), text: 'like this one' }], help: 'define it' };
    expect(renderDiagnostic(d, text)).toBe(
      [
        'error[ZKL201]: unknown name `c`',
        '  ┌─ f.zkl:3:10',
        '  │',
        '1 │ let a = 1',
        '  │     ----- like this one',
        '  ·',
        '3 │   b = a + c',
        '  │           ^ not defined',
        '  = help: define it',
        '',
      ].join('\n'),
    );
  });

  test('other files have frames of their own; a file that is not there has none', () => {
    const d: Diagnostic = {
      ...base,
      severity: 'warning',
      notes: [
        { span: spanOf('other', 'g.zkl', 'other\n'), text: 'here' },
        { span: { source: 'gone.zkl', start: 4, end: 5 }, text: 'there' },
      ],
    };
    const lines = renderDiagnostic(d, text).split('\n');
    expect(lines[0]).toBe('warning[ZKL201]: unknown name `c`');
    expect(lines).toContain('  ├─ g.zkl:1:1');
    expect(lines).toContain('1 │ other');
    expect(lines.slice(-3)).toEqual(['  ├─ gone.zkl:1:5', '  │ there', '']);
  });

  test('several lines, the end of the file and an empty span are one mark', () => {
    const marks = (span: Span): string | undefined =>
      renderDiagnostic({ ...base, span }, text)
        .split('\n')
        .find((line) => line.includes('^'));
    expect(marks({ source: 'f.zkl', start: 4, end: TEXT.length })).toBe('  │     ^^^^^ not defined');
    expect(marks({ source: 'f.zkl', start: TEXT.length, end: TEXT.length })).toBe('  │     ^ not defined');
    expect(marks({ source: 'f.zkl', start: 10, end: 10 })).toBe('  │ ^ not defined');
    expect(marks({ source: 'f.zkl', start: 900, end: 901 })).toBe('  │     ^ not defined');
  });

  test('long lines are shown in part, around the label', () => {
    const long = `${'x'.repeat(500)} y ${'z'.repeat(500)}`;
    const rendered = renderDiagnostic({ ...base, span: spanOf('y', 'f.zkl', long) }, () => long).split('\n');
    const line = rendered.findIndex((l) => l.startsWith('1 │'));
    expect(rendered[line].length).toBeLessThan(120);
    expect(rendered[line + 1].indexOf('^')).toBe(rendered[line].indexOf('y'));
  });

  test('text cannot steer the terminal', () => {
    const evil = 'a\u001b[31mb\u202e\r c';
    const rendered = renderDiagnostic(
      { ...base, title: evil, span: { source: 'f\u0007', start: 0, end: 1 } },
      () => evil,
    );
    expect(rendered).not.toMatch(/[^\n\P{Cc}]|\u202e/u);
  });

  test('a palette colours the parts, several are separated by a blank line', () => {
    const red = (s: string): string => `<${s}>`;
    const coloured = renderDiagnostic({ ...base, help: 'define it' }, text, { ...PLAIN, error: red, help: red });
    expect(coloured).toContain('<error[ZKL201]>');
    expect(coloured).toContain('<^ not defined>');
    expect(coloured).toContain('<= help:> define it');
    expect(renderDiagnostics([base, base], text)).toBe(
      `${renderDiagnostic(base, text)}\n${renderDiagnostic(base, text)}`,
    );
    expect(renderDiagnostics([], text)).toBe('');
  });
});
