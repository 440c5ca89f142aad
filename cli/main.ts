/** The `zkl` command. Commands are loaded when they run, so that starting costs little. */
import { enableCompileCache } from 'node:module';
import type { CommandSpec, Json, Outcome } from './command.ts';
import { commands } from './commands.ts';
import { CliError, understood } from './errors.ts';

/** Runs a command line (without `node` and the script) and sets the process's exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  // What commands load is compiled once a machine, not once a start.
  enableCompileCache();
  // A reader that goes away, as in `zkl inspect FILE | head`, is no failure.
  process.stdout.on('error', (error: Error & { code?: string }) => {
    process.exit(error.code === 'EPIPE' ? 0 : 2);
  });
  // Node would end with 1, which says "rejected" here.
  process.on('uncaughtException', (error) => {
    process.exit(fail(error, undefined, argv.includes('--json')));
  });
  process.exitCode = await dispatch(argv);
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  if (first === '--version' || first === '-v') {
    const { version } = await import('./place.ts');
    return print(rest.includes('--json') ? JSON.stringify({ ok: true, version: version() }) : version());
  }
  if (first === undefined || first === '--help' || first === '-h' || first === 'help')
    return help(rest[0], first === undefined);
  const spec = commands.find((c) => c.name === first);
  const json = argv.includes('--json');
  try {
    if (!spec) throw await unknownCommand(first);
    return await runCommand(spec, rest, json);
  } catch (error) {
    return fail(error, spec?.name, json);
  }
}

async function runCommand(spec: CommandSpec, argv: readonly string[], json: boolean): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) return help(spec.name, false);
  const [{ readArguments }, { createProgress }, { run }] = await Promise.all([
    import('./arguments.ts'),
    import('./progress.ts'),
    spec.load(),
  ]);
  const progress = createProgress((line) => process.stderr.write(`zkl ${spec.name}: ${line}\n`));
  return report(await run(readArguments(spec, argv), progress), json);
}

async function help(name: string | undefined, onStderr: boolean): Promise<number> {
  const { commandHelp, generalHelp } = await import('./help.ts');
  const spec = commands.find((c) => c.name === name);
  if (name !== undefined && !spec && !name.startsWith('-')) return fail(await unknownCommand(name), undefined, false);
  const text = spec ? commandHelp(spec) : generalHelp();
  if (!onStderr) return print(text);
  process.stderr.write(`${text}\n`);
  return 2;
}

async function unknownCommand(name: string): Promise<CliError> {
  const { didYouMean } = await import('./arguments.ts');
  const names = commands.map((c) => c.name);
  return name.startsWith('-')
    ? new CliError(`there is no option ${name} before a command`, 'zkl --help lists the commands')
    : new CliError(`there is no command "${name}"`, didYouMean(name, names) ?? 'zkl --help lists them');
}

function report(outcome: Outcome, json: boolean): number {
  if (json) print(JSON.stringify({ ok: outcome.exit === 0, ...outcome.json } satisfies Json));
  else if (outcome.text !== '') {
    if (outcome.exit === 0 || outcome.onStdout) print(outcome.text);
    else process.stderr.write(`${outcome.text}\n`);
  }
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
  if (json) print(JSON.stringify({ ok: false, error: { message, remedy, internal: !known } }));
  else
    process.stderr.write(
      `zkl${command === undefined ? '' : ` ${command}`}: ${message}\n${remedy === undefined ? '' : `  ${remedy}\n`}`,
    );
  if (process.env['ZKL_DEBUG'] === '1' && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  return 2;
}

if (import.meta.main) await main(process.argv.slice(2));
