/** Formatting. Prettier, which who only proves or verifies does without, is loaded on the first use only. */
import type { Program } from './ast.ts';
import type { Diagnostic } from './diagnostic.ts';
import { parse } from './index.ts';

/** Prettier is not installed. */
export class FormatterMissing extends Error {
  override readonly name = 'FormatterMissing';

  constructor(options?: ErrorOptions) {
    super('formatting needs the package prettier, which is not installed', options);
  }
}

export interface Formatted {
  /** Absent where the text has errors. */
  readonly text?: string;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The text in the one layout: two spaces a level, 120 columns, blank lines and comments kept. Formatting again changes
 * nothing, and the program stays the same.
 *
 * @param source the name of the text in messages
 * @throws FormatterMissing
 */
export async function format(text: string, source?: string): Promise<Formatted> {
  const parsed = parse(text, source);
  const { diagnostics } = parsed;
  if (diagnostics.some(({ severity }) => severity === 'error')) return { diagnostics };
  const [prettier, plugin] = await load();
  const { languages, parsers, printers, toPrint } = plugin;
  // Prettier hands its parser the text without carriage returns, where the places are other ones.
  const once = { languages, printers, parsers: { zkl: { ...parsers.zkl, parse: () => toPrint(parsed) } } };
  const plugins = [text.includes('\r') ? plugin : once];
  return { text: await prettier.format(text, { ...layout, plugins }), diagnostics };
}

/** The text of a tree made by hand: doc comments come from `doc`, spans are not read. */
export async function print(program: Program): Promise<string> {
  const [prettier, plugin] = await load();
  const { documented, languages, parsers, printers } = plugin;
  // Prettier prints nothing for an empty text, so it gets another, which the parser does not read.
  const parser = { ...parsers.zkl, parse: () => documented(program) };
  return prettier.format('(a tree)', { ...layout, plugins: [{ languages, parsers: { zkl: parser }, printers }] });
}

const layout = { parser: 'zkl', printWidth: 120 };

async function load() {
  try {
    return await Promise.all([import('prettier/standalone'), import('./prettier.ts')]);
  } catch (error) {
    const isMissing = (error as { readonly code?: unknown }).code === 'ERR_MODULE_NOT_FOUND';
    throw isMissing && /'prettier'/.test((error as Error).message) ? new FormatterMissing({ cause: error }) : error;
  }
}
