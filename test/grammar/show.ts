/** Trees and diagnostics as text, for golden files. */
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import type { Span } from '../../grammar/span.ts';

const WIDTH = 110;

/** A tree as nested lists, on one line each where they fit. Spans and absent fields are left out. */
export function showTree(node: unknown, indentation = ''): string {
  const parts = partsOf(node);
  if (typeof parts === 'string') return parts;
  const flat = showFlat(node);
  if (indentation.length + flat.length <= WIDTH) return flat;
  const inner = `${indentation}  `;
  const [head, ...rest] = parts;
  const lines = rest.map((part) => `\n${inner}${showTree(part, inner)}`);
  return `(${typeof head === 'string' ? head : showTree(head, inner)}${lines.join('')})`;
}

const showFlat = (node: unknown): string => {
  const parts = partsOf(node);
  return typeof parts === 'string' ? parts : `(${parts.map(showFlat).join(' ')})`;
};

function partsOf(node: unknown): string | unknown[] {
  if (typeof node === 'string') return node;
  if (typeof node === 'boolean') return String(node);
  if (Array.isArray(node)) return node as unknown[];
  const { kind, span: _, ...fields } = node as { kind?: string; span: Span } & Record<string, unknown>;
  if (kind === undefined || kind === 'number') return fields['text'] as string;
  if (kind === 'string') return JSON.stringify(fields['text']);
  if (kind === 'reference') return partsOf(fields['name']);
  if (kind === 'axis' && fields['range'] === undefined) return partsOf(fields['index']);
  return [kind, ...Object.entries(fields).flatMap(([field, value]) => partOf(field, value))];
}

/** Fields that their place tells apart stand without their name. */
const PLAIN = new Set(['name', 'index', 'operator', 'left', 'right', 'value', 'operand', 'base', 'exponent']);

function partOf(field: string, value: unknown): unknown[] {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return [];
  if (field === 'doc') return [[`doc ${JSON.stringify(value)}`]];
  if (PLAIN.has(field)) return [value];
  return [[field, ...[value].flat()]];
}

/** Diagnostics with lines and columns from 1. */
export function showProblems(diagnostics: readonly Diagnostic[], text: string): string {
  const place = ({ start, end }: Span): string => `${position(text, start)}-${position(text, end)}`;
  return diagnostics
    .map(({ code, severity, title, span, label, notes = [], help, fix }) =>
      [
        `${place(span)} ${severity} ${code}: ${title}`,
        `    ${label}`,
        ...notes.map((note) => `    ${place(note.span)} ${note.text}`),
        ...(help === undefined ? [] : [`    help: ${help}`]),
        ...(fix === undefined ? [] : [`    fix: ${place(fix.span)} ${JSON.stringify(fix.text)}`]),
      ].join('\n'),
    )
    .join('\n');
}

function position(text: string, offset: number): string {
  const lines = text.slice(0, offset).split('\n');
  return `${lines.length}:${lines[lines.length - 1].length + 1}`;
}
