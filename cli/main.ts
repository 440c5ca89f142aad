// For `node cli/main.ts`: JavaScript of any age in spite of its name, as an old Node reads it, so that it can say what to do (package.json beside it).
// eslint-disable-next-line @typescript-eslint/no-require-imports -- an old Node has nothing else
require('./bin.cjs');
