/** The `zkl` command. Commands are loaded when they run, so that starting costs little. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import type { Outcome } from './parse/command.ts';
import { commands } from './parse/commands.ts';
import { believedDirectory } from '../host/directory.ts';
import { CliError, understood } from './errors.ts';
import { shown, shownJson, shownLines } from './show/terminal.ts';

/** Runs a command line (without `node` and the script) and sets the process's exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  // Whatever ends the process before there is an outcome must not look like one.
  process.exitCode = 2;
  // What commands load is compiled once a machine, not once a start; only where nobody else could put other code.
  const cache = argv.includes('--no-cache') ? undefined : believedDirectory();
  if (cache !== undefined) enableCompileCache(join(cache, 'compiled'));
  // A reader that goes away, as in `zkl verify ... | head -0`, changes nothing about the outcome, and neither does a full disk behind it.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  // Node would end with 1, which says "rejected" here.
  process.on('uncaughtException', (error) => {
    process.exit(fail(error, undefined, argv.includes('--json')));
  });
  process.exitCode = await dispatch(argv);
}

/** Runs a command line. Returns the exit status; everything it says is on stdout and stderr. */
export async function dispatch(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  if (first === '--version' || first === '-v') {
    const { version } = await import('../host/place.ts');
    const text = rest.includes('--json') ? JSON.stringify({ ok: true, version: version() }) : version();
    if (rest.every((word) => word === '--json')) return print(text);
    process.stderr.write(`${text}\n`);
    return 2;
  }
  if (first === undefined || first === '--help' || first === '-h' || first === 'help')
    return help(rest[0], first === undefined || rest.length > 1);
  const spec = commands.find((c) => c.name === first);
  if (!spec) return fail(await unknownCommand(first), undefined, rest.includes('--json'));
  const { flagsIn, readArguments } = await import('./parse/arguments.ts');
  // What stands where a value or a file name belongs is no option.
  const flags = flagsIn(spec, rest);
  const json = flags.has('json');
  try {
    // Together with anything else it answers no question: no status may stand for a verdict.
    if (flags.has('help')) return await help(spec.name, rest.length > (json ? 2 : 1));
    const [{ createProgress }, { run }] = await Promise.all([import('./show/progress.ts'), spec.load()]);
    const progress = createProgress((line, coloured) => {
      process.stderr.write(`zkl ${spec.name}: ${coloured ? line : shownLines(line)}\n`);
    });
    return report(await run(readArguments(spec, rest), progress), json);
  } catch (error) {
    return fail(error, spec.name, json);
  }
}

async function help(name: string | undefined, onStderr: boolean): Promise<number> {
  const { commandHelp, generalHelp } = await import('./parse/help.ts');
  const spec = commands.find((c) => c.name === name);
  if (name !== undefined && !spec && !name.startsWith('-')) return fail(await unknownCommand(name), undefined, false);
  const text = spec ? commandHelp(spec) : generalHelp();
  if (!onStderr) return print(text);
  process.stderr.write(`${text}\n`);
  return 2;
}

async function unknownCommand(name: string): Promise<CliError> {
  const { didYouMean } = await import('../host/suggest.ts');
  const names = commands.map((c) => c.name);
  return name.startsWith('-')
    ? new CliError(`there is no option ${name} before a command`, 'zkl --help lists the commands')
    : new CliError(`there is no command "${name}"`, didYouMean(name, names) ?? 'zkl --help lists them');
}

function report(outcome: Outcome, json: boolean): number {
  const text = outcome.coloured ? outcome.text : shownLines(outcome.text);
  const line = json ? shownJson({ ok: outcome.exit === 0, ...outcome.json }) : text;
  const onStdout = (json || outcome.exit === 0 || outcome.onStdout) && !outcome.wroteStdout;
  if (line !== '' && onStdout) print(line);
  else if (line !== '') process.stderr.write(`${line}\n`);
  return outcome.exit;
}

function print(text: string): 0 {
  process.stdout.write(`${text}\n`);
  return 0;
}

/** Says what could not be done. Stack traces are for `ZKL_DEBUG=1` only. */
function fail(thrown: unknown, command: string | undefined, json: boolean): number {
  const error = understood(thrown);
  const known = error instanceof CliError;
  const message = known ? error.message : `internal error: ${error instanceof Error ? error.message : String(error)}`;
  const remedy = known
    ? error.remedy
    : 'this is a fault of zkl, not of your files: please report it with the command and what ZKL_DEBUG=1 adds';
  const details = known ? error.json : {};
  const reasons = known ? error.reasons : [];
  if (json) {
    const several = reasons.length > 0 ? { reasons } : {};
    print(shownJson({ ok: false, ...details, error: { message, ...several, remedy, internal: !known } }));
  } else {
    const lines = known && error.coloured ? (remedy ?? '') : shown(remedy ?? '');
    process.stderr.write(
      `zkl${command === undefined ? '' : ` ${command}`}: ${shown(message)}\n` +
        [...reasons.map(shown), ...(lines === '' ? [] : [lines])].map((line) => `  ${line}\n`).join(''),
    );
  }
  if (process.env['ZKL_DEBUG'] === '1' && error instanceof Error)
    process.stderr.write(`${shownLines(error.stack ?? '')}\n`);
  return 2;
}

if (import.meta.main) await main(process.argv.slice(2));
