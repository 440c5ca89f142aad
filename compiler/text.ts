/** Reading and laying out programs, for callers that no type checker looked at. */
import { requireText } from './ir/arguments.ts';
import { PackageError } from './ir/errors.ts';
import { format as formatText, FormatterMissing, type Formatted } from '../grammar/format.ts';
import { parse as parseText, UNNAMED, type Parsed } from '../grammar/index.ts';

/**
 * Reads a program. Errors are diagnostics, whatever the text.
 *
 * @param source the name of the text in messages, usually its path; default `program.zkl`
 * @throws ArgumentError where the text is none
 */
export function parse(text: string, source = UNNAMED): Parsed {
  requireText('text', text);
  requireText('source', source);
  return parseText(text, source);
}

/**
 * The text in the one layout: two spaces a level, 120 columns, blank lines and comments kept. Formatting again changes nothing.
 * @throws ArgumentError where the text is none
 * @throws PackageError where prettier is not installed
 */
export async function format(text: string, source = UNNAMED): Promise<Formatted> {
  requireText('text', text);
  requireText('source', source);
  try {
    return await formatText(text, source);
  } catch (error) {
    throw error instanceof FormatterMissing ? new PackageError('prettier', error.message, { cause: error }) : error;
  }
}

/**
 * A program that was written by code, in the one layout where prettier is installed, else as it is.
 * @throws Error where it has errors, which are the writer's
 */
export async function layOut(text: string, source = UNNAMED): Promise<string> {
  const formatted = await formatText(text, source).catch((error: unknown) => {
    if (error instanceof FormatterMissing) return { text };
    throw error;
  });
  if (formatted.text === undefined) throw new Error(`internal error: a program that was written has errors:\n${text}`);
  return formatted.text;
}
