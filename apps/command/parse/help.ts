/** The texts of `--help`. */
import type { CommandSpec, OptionSpec } from './command.ts';
import { commands, commonOptions } from './commands.ts';
import { columns } from '../show/text.ts';

export function generalHelp(): string {
  return [
    'zkl: zero-knowledge proofs about LoRA-adapted Transformers',
    '',
    'usage: zkl COMMAND ...',
    '',
    columns(commands.map((c) => [`  ${c.name}`, c.summary])),
    '',
    'zkl COMMAND --help describes a command, zkl --version prints the version.',
    'Exit status: 0 done or accepted, 1 rejected or errors in the program, 2 could not run.',
  ].join('\n');
}

export function commandHelp(c: CommandSpec): string {
  const inUsage = c.options.filter((o) => o.required || o.usual).map((o) => `${optionName(o)} ${o.value ?? ''}`);
  return [
    `zkl ${c.name}: ${c.summary}`,
    '',
    `usage: ${['zkl', c.name, ...c.positionals.map((p) => (p.optional === true ? `[${p.name}]` : p.name)), ...inUsage].join(' ')} [options]`,
    '',
    columns([
      ...c.positionals.map((p) => [`  ${p.name}`, p.help]),
      ...[...c.options, ...commonOptions].map((o) => [`  ${optionName(o)} ${o.value ?? ''}`.trimEnd(), optionHelp(o)]),
    ]),
    ...(c.notes.length > 0 ? ['', ...c.notes] : []),
    '',
    `example: ${c.example}`,
  ].join('\n');
}

const optionName = (o: OptionSpec): string => (o.short === undefined ? `--${o.name}` : `-${o.short}, --${o.name}`);

const optionHelp = (o: OptionSpec): string => (o.many ? `${o.help} (may be repeated)` : o.help);
