/**
 * Diagnostics as people read them: title, a frame of the source with the label on its span, further labels, one remedy.
 *
 * ```
 * error[ZKL306]: shapes differ
 *   ┌─ block.zkl:14:11
 *   │
 *  6 │   q = linear<64>(x)
 *    │       ------------- this is [8, 64]
 *    ·
 * 14 │   y = q + x
 *    │           ^ this is [8, 16]
 *    = help: operators on whole tensors need equal shapes
 * ```
 */
import type { Diagnostic, Label } from './diagnostic.ts';
import type { Span } from './span.ts';

/** How parts of a message are coloured; every function gives its text back with or without escapes around it. */
export interface Palette {
  readonly error: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly note: (text: string) => string;
  readonly help: (text: string) => string;
  readonly gutter: (text: string) => string;
  readonly strong: (text: string) => string;
}

const same = (text: string): string => text;
/** No colours. */
export const PLAIN: Palette = { error: same, warning: same, note: same, help: same, gutter: same, strong: same };

/** The text of a source by the name it has in spans; undefined where it is not known. */
export type SourceText = (source: string) => string | undefined;

/** Longer lines are shown in part, around the label. */
const MAX_WIDTH = 110;
const TAB = '  ';

/** Several diagnostics, a blank line between them; '' for none. */
export function renderDiagnostics(all: readonly Diagnostic[], text: SourceText, palette: Palette = PLAIN): string {
  return all.map((d) => renderDiagnostic(d, text, palette)).join('\n');
}

/** One diagnostic, ending in a newline. */
export function renderDiagnostic(d: Diagnostic, text: SourceText, palette: Palette = PLAIN): string {
  const paint = d.severity === 'error' ? palette.error : palette.warning;
  const lines = [`${paint(`${d.severity}[${d.code}]`)}${palette.strong(`: ${printable(d.title)}`)}`];
  const marks: Mark[] = [
    { span: d.span, text: d.label, primary: true, paint },
    ...(d.notes ?? []).map((note: Label) => ({ ...note, primary: false, paint: palette.note })),
  ];
  const sources = [...new Set(marks.map((mark) => mark.span.source))];
  const placed = sources.map((source) =>
    place(
      source,
      marks.filter((mark) => mark.span.source === source),
      text(source),
    ),
  );
  const width = Math.max(1, ...placed.flatMap((p) => p.marks.map((m) => String(m.line).length)));
  const margin = ' '.repeat(width);
  for (const [k, { source, marks: found }] of placed.entries()) {
    const [first] = found;
    const position = `${printable(source)}:${first.line}:${first.column}`;
    lines.push(`${margin} ${palette.gutter(k === 0 ? '┌─' : '├─')} ${position}`);
    lines.push(...frame(found, width, palette));
  }
  if (d.help !== undefined) lines.push(`${margin} ${palette.help('= help:')} ${printable(d.help)}`);
  return `${lines.join('\n')}\n`;
}

interface Mark {
  readonly span: Span;
  readonly text: string;
  readonly primary: boolean;
  readonly paint: (text: string) => string;
}

/** A mark with its place: line and column from 1, the line's text, and where in it the marked part is. */
interface PlacedMark extends Mark {
  readonly line: number;
  readonly column: number;
  readonly content: string | undefined;
  readonly from: number;
  readonly to: number;
}

function place(
  source: string,
  marks: readonly Mark[],
  text: string | undefined,
): { source: string; marks: PlacedMark[] } {
  const placed = marks.map((mark): PlacedMark => {
    if (text === undefined)
      return { ...mark, line: 1, column: mark.span.start + 1, content: undefined, from: 0, to: 0 };
    const start = Math.min(mark.span.start, text.length);
    const lineStart = text.lastIndexOf('\n', start - 1) + 1;
    const newline = text.indexOf('\n', start);
    const lineEnd = newline === -1 ? text.length : newline;
    const line = text.slice(0, lineStart).split('\n').length;
    const content = text.slice(lineStart, lineEnd).replace(/\r$/, '');
    const to = Math.max(start + 1, Math.min(mark.span.end, lineEnd)) - lineStart;
    return { ...mark, line, column: start - lineStart + 1, content, from: start - lineStart, to };
  });
  return { source, marks: placed };
}

function frame(marks: readonly PlacedMark[], width: number, palette: Palette): string[] {
  const bar = `${' '.repeat(width)} ${palette.gutter('│')}`;
  const known = marks.filter((mark) => mark.content !== undefined);
  if (known.length === 0) return marks.map((mark) => `${bar} ${mark.paint(printable(mark.text))}`);
  const lines: string[] = [bar];
  const numbers = [...new Set(known.map((mark) => mark.line))].sort((a, b) => a - b);
  for (const [k, number] of numbers.entries()) {
    if (k > 0 && number > numbers[k - 1] + 1) lines.push(`${' '.repeat(width)} ${palette.gutter('·')}`);
    const here = known.filter((mark) => mark.line === number);
    const window = clip(here[0]);
    lines.push(`${String(number).padStart(width)} ${palette.gutter('│')} ${window.text}`.trimEnd());
    for (const mark of here) {
      const before = ' '.repeat(window.columns(mark.from));
      const size = Math.max(1, window.columns(mark.to) - window.columns(mark.from));
      const line = (mark.primary ? '^' : '-').repeat(size);
      lines.push(`${bar} ${before}${mark.paint(`${line} ${printable(mark.text)}`.trimEnd())}`);
    }
  }
  return lines;
}

/** The part of a line that is shown, and at which column of it an offset of the line stands. */
function clip(mark: PlacedMark): { text: string; columns: (offset: number) => number } {
  const content = mark.content ?? '';
  const start = content.length <= MAX_WIDTH ? 0 : Math.max(0, Math.min(mark.from - 20, content.length - MAX_WIDTH));
  const end = Math.min(content.length, start + MAX_WIDTH);
  const head = start > 0 ? '…' : '';
  const shown = (from: number, to: number): string => printable(content.slice(from, Math.max(from, to)));
  return {
    text: `${head}${shown(start, end)}${end < content.length ? '…' : ''}`,
    columns: (offset) => [...head, ...shown(start, Math.min(Math.max(offset, start), end))].length,
  };
}

/** Control characters and marks of writing direction. */
const UNPRINTABLE = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text from a file cannot move the cursor or recolour the terminal. */
const printable = (text: string): string => text.replace(/\t/g, TAB).replace(UNPRINTABLE, '\ufffd');
