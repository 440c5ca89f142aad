/** Reading and laying out programs, for callers that no type checker looked at. */
import { requireText } from './ir/arguments.ts';
import { format as formatText, type Formatted } from '../grammar/format.ts';
import { parse as parseText, unnamed, type Parsed } from '../grammar/index.ts';

/**
 * Reads a program. Errors are diagnostics, whatever the text.
 *
 * @param source the name of the text in messages, usually its path; default `program.zkl`
 * @throws ArgumentError where the text is none
 */
export function parse(text: string, source = unnamed): Parsed {
  requireText('text', text);
  requireText('source', source);
  return parseText(text, source);
}

/**
 * The text in the one layout: two spaces a level, 120 columns, blank lines and comments kept. Formatting again changes nothing.
 * @throws ArgumentError where the text is none
 */
export async function format(text: string, source = unnamed): Promise<Formatted> {
  requireText('text', text);
  requireText('source', source);
  return formatText(text, source);
}
