/** Where this copy of zkl stands: a checkout, or a package with its JavaScript under dist/. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const packageRoot = ((): string => {
  const above = ['..', '../..'].map((up) => fileURLToPath(new URL(up, import.meta.url)));
  return above.find((root) => existsSync(`${root}/package.json`)) ?? above[0];
})();

export const version = (): string => {
  const { version } = JSON.parse(readFileSync(`${packageRoot}/package.json`, 'utf8')) as { version: string };
  return version;
};
