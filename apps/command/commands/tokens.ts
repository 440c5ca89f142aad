import { CliError } from '../errors.ts';
import type { Run } from '../parse/command.ts';
import { readTokenizer } from '../../host/tokenizer.ts';
import { columns, plural } from '../show/text.ts';
import { onlyOne, textOf } from '../steps/text.ts';

export const run: Run = async (args, progress) => {
  const [path] = args.positionals;
  const given = onlyOne(args, ['text', 'text-file', 'ids']);
  const wanted = given === 'ids' ? idsOf(args.required('ids')) : await textOf(args);
  const tokenizer = await progress.phase('read tokenizer', () => readTokenizer(path));
  const ids = typeof wanted === 'string' ? tokenizer.encode(wanted) : wanted;
  const unknown = ids.find((id) => tokenizer.piece(id) === undefined);
  if (unknown !== undefined)
    throw new CliError(`${tokenizer.name} has no token ${unknown}`, `its ids are below ${tokenizer.size}`);
  const text = tokenizer.decode(ids);
  const rows = ids.map((id, t) => ({
    position: t,
    id,
    piece: tokenizer.piece(id) ?? '',
    special: tokenizer.isSpecial(id),
  }));
  const lines = [
    columns(rows.map((r) => [`  ${r.position}`, String(r.id), JSON.stringify(r.piece), r.special ? 'special' : ''])),
    `${plural(ids.length, 'token')}: ${JSON.stringify(ids)}`,
    `text: ${JSON.stringify(text)}`,
  ];
  const json = { ids, pieces: rows.map((r) => r.piece), text, size: tokenizer.size, padding: tokenizer.padding };
  return { exit: 0, text: lines.join('\n'), json };
};

/** Whole numbers with commas or blanks between, brackets around them or not. */
function idsOf(text: string): number[] {
  const words = text
    .replace(/^\s*\[|\]\s*$/g, '')
    .split(/[\s,]+/)
    .filter((word) => word !== '');
  if (words.length === 0 || !words.every((word) => /^\d{1,9}$/.test(word)))
    throw new CliError(`--ids is "${text}"`, 'give whole numbers, e.g. --ids 504,4626,436');
  return words.map(Number);
}
