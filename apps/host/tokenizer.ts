/** Reading tokenizers: a model's directory, or a `tokenizer.json` of any name. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { openTokenizer, type TextTokenizer } from '../../models/text/tokenizer.ts';
import { systemFailure } from './errors.ts';
import { folderOf } from './weights.ts';

const TOKENIZER_FILE = 'tokenizer.json';
const ADAPTER_FILE = 'adapter_config.json';

/** @throws HostError, FormatError */
export async function readTokenizer(path: string): Promise<TextTokenizer> {
  await using files = new AsyncDisposableStack();
  let isDirectory: boolean;
  try {
    isDirectory = statSync(path).isDirectory();
  } catch (error) {
    throw systemFailure(error, 'read the tokenizer', path);
  }
  const folder = folderOf(isDirectory ? path : dirname(path), 'the tokenizer', files);
  // Its files are open until then.
  if (isDirectory) return await openTokenizer(folder);
  return await openTokenizer({
    ...folder,
    open: (file) => folder.open(file === TOKENIZER_FILE ? basename(path) : file),
  });
}

/** The directory of several that a tokenizer is taken from: of a model rather than of an adapter, which may bring its own along. */
export function folderWithTokenizer(paths: readonly string[]): string | undefined {
  const having = paths.filter((path) => existsSync(join(path, TOKENIZER_FILE)));
  return having.find((path) => !existsSync(join(path, ADAPTER_FILE))) ?? having[0];
}
