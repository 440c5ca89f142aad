/**
 * Golden files: one Markdown file a case, readable without tools. Each `# TITLE` heads a section.
 *
 * ```
 * golden(file: string, sections: Record<string, string>): void
 * cases(folder: string): { name: string; file: string; source: string }[]
 * ```
 *
 * A test reads the cases of its folder, works out every other section from `source`, and hands all of them to `golden`,
 * in the order in which they should stand. With `UPDATE_GOLDEN=1` the files are rewritten instead of compared.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const root = dirname(fileURLToPath(import.meta.url));
const updating = process.env['UPDATE_GOLDEN'] === '1';

/** A text whose trailing newline is kept out of the file; `~~~` fences it, since sources hold backquotes. */
const render = (sections: Record<string, string>): string =>
  Object.entries(sections)
    .map(([title, body]) => `# ${title}\n\n~~~${title.toLowerCase()}\n${body.replace(/\n$/, '')}\n~~~\n`)
    .join('\n');

/** The sections of a golden file by title; the bodies end in a newline unless they are empty. */
export function parseGolden(text: string): Record<string, string> {
  const sections = text.matchAll(/^# (.+)\n\n~~~.*\n([\s\S]*?)^~~~$/gm);
  return Object.fromEntries([...sections].map(([, title, body]) => [title, body]));
}

/**
 * Compares `sections` (title to body; keys in the order of the file) with the golden file.
 *
 * @param file relative to `test/golden`, such as `grammar/module.md`
 */
export function golden(file: string, sections: Record<string, string>): void {
  const path = join(root, file);
  const actual = render(sections);
  if (updating) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, actual);
    return;
  }
  const expected = existsSync(path) ? readFileSync(path, 'utf8') : '';
  expect(actual, `${file} differs; after review, update with UPDATE_GOLDEN=1`).toBe(expected);
}

/** The cases in a folder of `test/golden`: every file's `# SOURCE` section. */
export function cases(folder: string): { name: string; file: string; source: string }[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => {
      const source = parseGolden(readFileSync(join(root, folder, name), 'utf8'))['SOURCE'];
      if (source === undefined) throw new Error(`test/golden/${folder}/${name} has no section \`# SOURCE\``);
      return { name: basename(name, '.md'), file: `${folder}/${name}`, source };
    });
}
