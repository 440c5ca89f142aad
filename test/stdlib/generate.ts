/**
 * The standard library as a module, so that it is there wherever the compiler is, in a browser too:
 * `node test/stdlib/generate.ts` writes `compiler/standard/texts.ts` from `stdlib/`.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = new URL('../../stdlib/', import.meta.url);

export const textsFile = fileURLToPath(new URL('../../compiler/standard/texts.ts', import.meta.url));

const literal = (text: string): string => `\`${text.replace(/[\\`]|\$(?=\{)/g, '\\$&')}\``;

export function generateTexts(): string {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.zkl'))
    .sort();
  const entries = names.map((file) => {
    const text = readFileSync(new URL(file, folder), 'utf8');
    return `  ${JSON.stringify(file).replaceAll('"', "'")}: ${literal(text)},\n`;
  });
  return (
    '/** The files of `stdlib/`, which `test/stdlib/generate.ts` copies here: edit those. */\n' +
    `export const standardTexts: Readonly<Record<string, string>> = {\n${entries.join('')}};\n`
  );
}

if (import.meta.main) writeFileSync(textsFile, generateTexts());
