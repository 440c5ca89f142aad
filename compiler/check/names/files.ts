/** Items and imports: every file is read once, its scope holds its own items and what it imports. */
import type * as ast from '../../../grammar/ast.ts';
import { parse } from '../../../grammar/index.ts';
import type { Reporter } from '../report.ts';
import { didYouMean } from '../report.ts';
import type { Binding } from './scope.ts';
import { Scope, rootScope } from './scope.ts';
import { NameTable } from './table.ts';

/** Finds the text of an imported file; `resolveStandard` does for the standard library. */
export type ResolveImport = (name: string) => { readonly source: string; readonly text: string } | undefined;

interface LoadedFile {
  /** The file's items and what it imports, which can be imported from it in turn. */
  readonly scope: Scope;
  /** Where each imported name stands. */
  readonly imported: ReadonlyMap<string, ast.Name>;
}

export class Files {
  readonly #reporter: Reporter;
  readonly #resolve: ResolveImport;
  readonly #loaded = new Map<string, LoadedFile | 'loading'>();
  readonly #table = new NameTable();

  constructor(reporter: Reporter, resolve: ResolveImport) {
    this.#reporter = reporter;
    this.#resolve = resolve;
  }

  /** The scope of the file that is checked. */
  main(program: ast.Program, source: string): LoadedFile {
    this.#loaded.set(source, 'loading');
    const file = this.#scopeOf(program);
    this.#loaded.set(source, file);
    return file;
  }

  #scopeOf(program: ast.Program): LoadedFile {
    const reporter = this.#reporter;
    const scope = new Scope(rootScope(program.span, this.#table));
    const imported = new Map<string, ast.Name>();
    for (const node of program.imports) {
      const from = this.#load(node.path);
      for (const name of node.names) {
        const before = scope.own(name.text);
        if (before !== undefined) {
          reporter.report({
            code: 'ZKL223',
            about: { name: name.text },
            span: name.span,
            label: 'the second',
            notes: [{ span: before.span, text: 'the first' }],
          });
          continue;
        }
        imported.set(name.text, name);
        scope.set(name.text, this.#pick(node, from, name));
      }
    }
    for (const item of program.items) {
      const before = scope.own(item.name.text);
      if (before !== undefined) {
        reporter.report({
          code: 'ZKL202',
          about: { name: item.name.text },
          span: item.name.span,
          label: 'the second',
          notes: [{ span: before.span, text: 'the first' }],
        });
        continue;
      }
      scope.set(item.name.text, bindItem(item, scope));
    }
    return { scope, imported };
  }

  #pick(node: ast.Import, from: LoadedFile | undefined, name: ast.Name): Binding {
    const poison: Binding = { kind: 'poison', span: name.span };
    if (from === undefined) return poison;
    const found = from.scope.own(name.text);
    if (found !== undefined && found.kind !== 'model') {
      from.scope.find(name.text, name.span);
      return { ...found, span: name.span };
    }
    const names = [...from.scope.entries()].filter(([, b]) => b.kind !== 'model').map(([n]) => n);
    this.#reporter.report({
      code: 'ZKL204',
      about: { path: node.path.text, name: name.text },
      span: name.span,
      label: 'not defined there',
      help: `it has ${names.map((n) => `\`${n}\``).join(', ')}`,
      ...didYouMean(name.text, name.span, names),
    });
    return poison;
  }

  #load(path: ast.StringLiteral): LoadedFile | undefined {
    const reporter = this.#reporter;
    const found = this.#resolve(path.text);
    if (found === undefined) {
      reporter.report({
        code: 'ZKL203',
        about: { path: path.text },
        span: path.span,
        label: 'not found',
        help: 'the standard library is "std"',
      });
      return undefined;
    }
    const known = this.#loaded.get(found.source);
    if (known === 'loading') {
      reporter.report({ code: 'ZKL205', span: path.span, label: `"${path.text}" imports this file` });
      return undefined;
    }
    if (known !== undefined) return known;
    this.#loaded.set(found.source, 'loading');
    const parsed = parse(found.text, found.source);
    this.#reporter.diagnostics.push(...parsed.diagnostics);
    const file = this.#scopeOf(parsed.program);
    this.#loaded.set(found.source, file);
    return file;
  }
}

function bindItem(item: ast.Item, scope: Scope): Binding {
  const { span } = item.name;
  if (item.kind === 'model') return { kind: 'model', span };
  if (item.kind === 'block') return { kind: 'block', node: item, scope, span };
  if (item.kind === 'table') return { kind: 'table', node: item, scope, span };
  return { kind: 'optimizer', node: item, scope, span };
}
