/** What a code of a diagnostic stands for, shown on its example. */
import { entryOf, generalTitle, type Code } from '../grammar/codes/index.ts';
import type { Entry, Given } from '../grammar/codes/entry.ts';
import { parse, type Diagnostic } from '../grammar/index.ts';
import { check, type ResolveImport } from './check/index.ts';
import { compile } from './index.ts';
import { resolveStandard } from './standard/index.ts';

/** A program and what the compiler says about it. */
export interface Shown {
  readonly text: string;
  /** The name of the text in diagnostics. */
  readonly source: string;
  readonly resolveImport: ResolveImport;
  readonly given: Given;
  readonly diagnostics: readonly Diagnostic[];
}

export interface Explanation extends Pick<Entry, 'title' | 'meaning' | 'remedy'> {
  readonly code: Code;
  /** Has this problem and no other. */
  readonly example: Shown;
  /** The example once the remedy is followed: has no problem. */
  readonly mended: Shown;
}

/** Compiles the example of a code as it is now, so that what is shown of it is never out of date. */
export function explain(code: Code): Explanation {
  const entry = entryOf(code);
  const { meaning, remedy, example, mend = [], given = {}, mendedGiven = given } = entry;
  const mended = mend.reduce((text, [from, to]) => text.replace(from, () => to), example);
  return {
    code,
    title: generalTitle(code),
    meaning,
    remedy,
    example: shown(entry, example, given),
    mended: shown(entry, mended, mendedGiven),
  };
}

function shown({ files = {}, checkOnly = false }: Entry, text: string, given: Given): Shown {
  const source = 'example.zkl';
  const resolveImport: ResolveImport = (name) =>
    Object.hasOwn(files, name) ? { source: name, text: files[name] } : resolveStandard(name);
  if (!checkOnly) {
    const { diagnostics } = compile({ text, source, resolveImport, ...given });
    return { text, source, resolveImport, given, diagnostics };
  }
  const { program, diagnostics } = parse(text, source);
  const checked = check({ program, source, resolveImport, ...given });
  return { text, source, resolveImport, given, diagnostics: [...diagnostics, ...checked.diagnostics] };
}
