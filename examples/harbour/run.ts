/**
 * npm run demo: the whole story on a small model of our own, each command printed as it is run.
 *
 * A public base model writes harbour reports. A secret adapter makes pirates of the crew. The proof shows that what they say is what the base
 * model with the committed adapter says, and nothing else about the adapter. Works in a temporary folder, which it removes.
 */
import { readFileSync } from 'node:fs';
import { decode, encode, here, inFolder, read, write, zkl } from './commands.ts';

const { sequences, completions } = JSON.parse(readFileSync(here('reference.json'), 'utf8')) as {
  readonly sequences: readonly (readonly number[])[];
  readonly completions: readonly { readonly prompt: string; readonly base: string; readonly adapted: string }[];
};
const { prompt, base, adapted } = completions[6];
console.log(`The base model continues "${prompt}" with "${base.slice(prompt.length).trim()}".`);
console.log(
  `Its owner's adapter makes that "${adapted.slice(prompt.length).trim()}". Is it so? The adapter is a secret.`,
);

// What was said, after the line break that starts every report; the proof is about what is said at each position.
const said = `\n${adapted.trimEnd()}`;
const tokens = said.length;
write('samples.json', JSON.stringify({ tokens: sequences.map((s) => s.slice(0, tokens + 1)) }));
write('said.json', JSON.stringify({ tokens: encode(said) }));

zkl(
  'a program for the model with its adapter, a page to read and edit',
  `import MODEL_DIR --adapter ADAPTER_DIR --tokens ${tokens} -o story.zkl`,
);
console.log(`\n${read('story.zkl').trimEnd()}`);

const weights = '--weights base=MODEL_DIR --weights adapter=ADAPTER_DIR';
zkl('scales for integers, from samples', `calibrate story.zkl ${weights} --samples samples.json`);
zkl('how well integers do against floating point', `compare story.zkl ${weights} --samples samples.json`);
zkl('one deterministic file that prover and verifier share', 'compile story.zkl -o story.zkb');
const committed = zkl(
  'anybody, once: the commitment to the public base model',
  'commit story.zkb --source base --weights base=MODEL_DIR -o base',
);
const digest = /its digest is ([0-9a-f]{64})/.exec(committed)?.[1] ?? '';
zkl(
  'the owner, once: the commitment to the secret adapter',
  'commit story.zkb --source adapter --weights adapter=ADAPTER_DIR -o keys',
);
zkl(
  'the owner: a proof of what the model says after each of these tokens',
  `prove story.zkb ${weights} --opening base=base/opening.zko --opening adapter=keys/opening.zko --inputs said.json -o proof.zkp`,
);
const check = `verify story.zkb --commitment base/commitment.zkc --commitment keys/commitment.zkc --pin base=${digest}`;
const verdict = zkl(
  'anybody who knows the digest of the base, in milliseconds and without any weights',
  `${check} proof.zkp --json`,
  { quiet: true },
);
const { publics } = JSON.parse(verdict) as {
  readonly publics: readonly { readonly name: string; readonly values: readonly number[] }[];
};
const next = publics.find((p) => p.name === 'next')!.values;
const answer = decode(next.slice(prompt.length)).trimEnd();
console.log(`accepted: after "${prompt}" the model with the committed adapter says "${answer.trim()}"`);
if (answer.trim() !== adapted.slice(prompt.length).trim()) {
  console.error('that is not what the adapter says in floating point');
  process.exit(1);
}

const forged = readFileSync(inFolder('proof.zkp'));
forged[forged.length - 100] ^= 1;
write('forged.zkp', forged);
zkl('one bit of the proof changed: rejected', `${check} forged.zkp`, { expected: 1 });
console.log('\nThe adapter stayed hidden, the honest proof was accepted, the changed one rejected.');
