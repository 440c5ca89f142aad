/** What a proof is bound to, as bytes. */
import type { Arguments } from './arguments.ts';
import { CliError } from '../errors.ts';
import { LONGEST_CONTEXT } from '../../../runtime/codec/files.ts';

/** `--context TEXT` as UTF-8, or `--context-hex`; empty without either. @throws CliError for a text that is not UTF-8 */
export function contextOf(args: Arguments): Uint8Array {
  const [text, hex] = [args.value('context'), args.value('context-hex')];
  if (text !== undefined && hex !== undefined)
    throw new CliError('--context and --context-hex are both given', 'give one of them');
  if (hex !== undefined && hex.length > 2 * LONGEST_CONTEXT) throw tooLong();
  if (hex !== undefined) {
    if (!/^(?:[0-9a-f]{2})+$/i.test(hex))
      throw new CliError(`--context-hex is "${hex}"`, 'give bytes as pairs of hexadecimal digits, e.g. 00ff2a');
    return Uint8Array.from(Buffer.from(hex, 'hex'));
  }
  // What is not UTF-8 arrives as U+FFFD, whatever it was: many contexts would be one.
  if (text?.includes('\ufffd'))
    throw new CliError('--context is not UTF-8', 'give the bytes as --context-hex, e.g. --context-hex 00ff2a');
  const bytes = new TextEncoder().encode(text ?? '');
  if (bytes.length > LONGEST_CONTEXT) throw tooLong();
  return bytes;
}

const tooLong = (): CliError =>
  new CliError(`the context has more than ${LONGEST_CONTEXT} bytes`, 'give a digest of it, e.g. of sha256sum');
