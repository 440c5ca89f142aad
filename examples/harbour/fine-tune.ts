/**
 * npm run demo:train [-- --steps N --batch N]: an adapter is trained on secret text, and every step is proved, each command printed as it is run.
 *
 * Somebody has 512 reports of pirates, which nobody else may see, and trains an adapter to the public base model on them. A customer draws the
 * order of the reports, verifies the whole run, and then a proof of what the trained adapter says. Sixty steps take about a quarter of an hour of two cores.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { writeSafetensors } from '../../models/index.ts';
import { decode, encode, here, inFolder, read, write, zkl } from './commands.ts';

const { values } = parseArgs({
  options: { steps: { type: 'string', default: '60' }, batch: { type: 'string', default: '8' } },
});
const [steps, batch] = [Number(values.steps), Number(values.batch)];
if (!(Number.isInteger(steps) && steps >= 2 && Number.isInteger(batch) && batch >= 1)) {
  console.error('--steps takes a whole number of at least 2, --batch one of at least 1');
  process.exit(2);
}

const [END, T] = ['\n', 32];
const reports = readFileSync(here('pirates.txt'), 'utf8').trimEnd().split('\n');

/** Where a report's remark begins: behind what was observed, which ends with a comma or the second of its full stops. */
const remark = (report: string): number => /^(?:[^,]*,|[^.]*\.[^.]*\.) /.exec(report)![0].length;

// A row is a report between line breaks, filled up with more of them. Only remarks, and the line break behind them, count.
const rows = reports.map((report) => `${END}${report}${END}`);
const counts = rows.map((row) =>
  Array.from({ length: T + 1 }, (_, i) => +(i > remark(row.slice(1)) && i < row.length)),
);
const column = (values: number[][]) => ({ dtype: 'I32' as const, shape: [rows.length, T + 1], values: values.flat() });
const data = new Map([
  ['tokens', column(rows.map((row) => encode(row.padEnd(T + 1, END))))],
  ['mask', column(counts)],
]);
write('pirates.safetensors', writeSafetensors(data));
console.log(`${reports.length} reports, a secret: ${reports.slice(0, 3).join(' · ')} ...`);

zkl(
  'a step of training as a program, a page to read and edit',
  `import MODEL_DIR --train --targets all-linear --rank 4 --tokens ${T} --batch ${batch} --examples ${rows.length} --rate 1e-2 --public-loss -o pirates.zkl`,
);
console.log(`\n${read('pirates.zkl').trimEnd()}`);

const train = 'train pirates.zkl --weights base=MODEL_DIR --data pirates.safetensors';
zkl(
  'scales for integers, from a few steps in floating point',
  'calibrate pirates.zkl --weights base=MODEL_DIR --data pirates.safetensors',
  { quiet: true },
);
const begun = zkl('the trainer commits to reports, base and the adapter to begin with', `${train} --steps 0 -o run`);
const pins = Array.from(
  begun.matchAll(/commitment to "(data|state)" ([0-9a-f]{64})/g),
  ([, source, digest]) => `--pin ${source}=${digest}`,
).join(' ');
const nonce = randomBytes(16).toString('hex');
console.log(`\nThe customer keeps these digests, and draws a nonce: the order of the reports is nobody's choice.`);
zkl('the trainer: every step, and its proof', `${train} --steps ${steps} --nonce ${nonce} -o run`, { long: true });
zkl('the trainer: the adapter for PEFT, and the proof that it is what the run ended with', 'export run -o adapter');

const verify = `verify pirates.zkl run --weights base=MODEL_DIR --nonce ${nonce} ${pins}`;
zkl('the customer: the whole run, by the text that he compiles himself', verify);

const [one, other] = [0, 1].map((step) => inFolder(`run/steps/${String(step).padStart(6, '0')}.zkp`));
const swap = (): void => {
  renameSync(one, `${one}.kept`);
  renameSync(other, one);
  renameSync(`${one}.kept`, other);
};
swap();
zkl('two steps in the other order: rejected', verify, { expected: 1 });
swap();

const said = `${END}dark. gale south. raid by dawn!`;
write('samples.json', JSON.stringify({ tokens: rows.slice(0, 8).map((row) => encode(row.padEnd(T + 1, END))) }));
write('said.json', JSON.stringify({ tokens: encode(said) }));
const weights = '--weights base=MODEL_DIR --weights adapter=adapter';
zkl(
  'the adapter is served: a program for the model with it',
  `import MODEL_DIR --adapter adapter --tokens ${T} -o serve.zkl`,
);
zkl('its scales', `calibrate serve.zkl ${weights} --samples samples.json`, { quiet: true });
zkl('compiled', 'compile serve.zkl -o serve.zkb');
const committed = zkl('the public base', 'commit serve.zkb --source base --weights base=MODEL_DIR -o base');
const digest = /its digest is ([0-9a-f]{64})/.exec(committed)?.[1] ?? '';
zkl(
  'what the trained adapter says after each character of a report that it was not trained on',
  `prove serve.zkb ${weights} --opening base=base/opening.zko --opening adapter=adapter/opening.zko --inputs said.json -o said.zkp`,
);
const verdict = zkl(
  'anybody: accepted, under the commitment that the run ended with',
  `verify serve.zkb --commitment base/commitment.zkc --commitment run/links/${String(steps).padStart(6, '0')}.zkc --pin base=${digest} said.zkp --json`,
  { quiet: true },
);
const { publics } = JSON.parse(verdict) as {
  readonly publics: readonly { readonly name: string; readonly values: readonly number[] }[];
};
const next = decode(publics.find((p) => p.name === 'next')!.values);
const begins = remark(said.slice(1));
console.log(`after "${said.slice(1, begins)}" the report goes on  "${said.slice(1 + begins)}"`);
console.log(`of its characters the trained adapter says  "${next.slice(begins, said.length - 1)}"`);
