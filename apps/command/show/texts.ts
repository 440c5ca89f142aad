/** Tokens as text for people. */
import type { TokenText } from '../../../models/text/results.ts';
import type { Json } from '../parse/command.ts';
import { columns, plural } from './text.ts';

/** Characters of a text that are shown: of a longer one the last ones. */
const MOST = 300;

/** A line for each tensor of tokens. */
export function textLines(texts: readonly TokenText[]): string[] {
  if (texts.length === 0) return [];
  return [
    columns(
      texts.map(({ name, kind, text, padding }) => [
        kind === 'input' ? '  the text' : `  ${name}`,
        quoted(text) +
          (padding === undefined ? '' : `, filled up with ${plural(padding.count, 'time')} ${quoted(padding.text)}`),
      ]),
    ),
  ];
}

/** With line breaks and quotes escaped, so that where it ends is seen. */
const quoted = (text: string): string => {
  const letters = [...text];
  return letters.length > MOST ? `... ${JSON.stringify(letters.slice(-MOST).join(''))}` : JSON.stringify(text);
};

/** Nothing where there is no text, so that the member is left out. */
export const textsJson = (texts: readonly TokenText[]): Json =>
  texts.length === 0
    ? undefined
    : texts.map(({ name, kind, text, pieces, padding }) => ({
        name,
        kind,
        text,
        pieces,
        padding: padding && { ...padding },
      }));
