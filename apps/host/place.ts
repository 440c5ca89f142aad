/** Where this copy of zkl stands: a checkout, or a package with its JavaScript under dist/. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const PACKAGE_ROOT = ((): string => {
  const above = ['../..', '../../..'].map((up) => fileURLToPath(new URL(up, import.meta.url)));
  return above.find((root) => existsSync(`${root}/package.json`)) ?? above[0];
})();

export const version = (): string => {
  const { version } = JSON.parse(readFileSync(`${PACKAGE_ROOT}/package.json`, 'utf8')) as { version: string };
  return version;
};

/** The command that installs npm's `webgpu` where this copy of zkl looks for it. */
export function installWebgpu(root = PACKAGE_ROOT): string {
  const inside = root.lastIndexOf('/node_modules/');
  if (inside < 0) return `cd ${root} && npm ci`;
  const project = root.slice(0, inside);
  // A global installation is in PREFIX/lib/node_modules, with no package.json beside it.
  return project.endsWith('/lib') ? 'npm install --global webgpu' : `cd ${project} && npm install webgpu`;
}
