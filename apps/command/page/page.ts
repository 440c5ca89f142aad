import type { Arguments } from '../parse/arguments.ts';
import type { Run } from '../parse/command.ts';
import { contextOf } from '../parse/context.ts';
import { CliError } from '../errors.ts';
import { readInput } from '../../host/files/read.ts';
import { filesToVerify, pageFiles, type ToVerify } from './files.ts';
import { servePage } from './server.ts';

const USUAL_PORT = 8377;

export const run: Run = async (args, progress) => {
  const port = args.integer('port', 0, 65_535) ?? USUAL_PORT;
  const toVerify = await given(args);
  const files = await progress.phase('build the page', () => pageFiles());
  const server = await servePage(new Map([...files, ...(toVerify ? filesToVerify(toVerify) : [])]), { port });
  progress.note(`${server.url} (end it with Ctrl-C)`);
  await interrupted();
  await server.close();
  return { exit: 0, text: '', json: { url: server.url } };
};

async function given(args: Arguments): Promise<ToVerify | undefined> {
  const [bundle, proof, commitments] = [args.value('bundle'), args.value('proof'), args.list('commitment')];
  contextOf(args);
  const context = args.value('context') ?? '';
  if (bundle === undefined && proof === undefined && commitments.length === 0 && context === '') return undefined;
  if (bundle === undefined || proof === undefined)
    throw new CliError(
      `the page cannot verify without ${bundle === undefined ? '--bundle' : '--proof'}`,
      'give --bundle FILE, --commitment FILE for each source, and --proof FILE, or none of them',
    );
  const read = async (path: string, what: string) => ({ path, bytes: await readInput(path, what) });
  return {
    bundle: await read(bundle, 'the bundle'),
    commitments: await Promise.all(commitments.map((path) => read(path, 'the commitment'))),
    proof: await read(proof, 'the proof'),
    context,
    expected: [...args.list('pin'), ...args.list('trust').map((source) => `${source}=trusted`)],
  };
}

/** Resolves when the process is asked to end. */
const interrupted = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
