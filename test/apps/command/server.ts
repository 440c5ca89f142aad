/**
 * A process that runs one command line after the other, as processes of their own would: each with its directory and environment. Most of what
 * a short command takes is the start of its process. Requests come as lines of JSON from one named pipe, results go to another.
 */
import { createReadStream, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { dispatch } from '../../../apps/command/main.ts';
import type { Request, Result } from './client.ts';

const [requests, results] = process.argv.slice(2);
const answers = openSync(results, 'w');

const answer = (result: Result | 'ready'): void => {
  const bytes = Buffer.from(`${JSON.stringify(result)}\n`);
  for (let at = 0; at < bytes.length;) at += writeSync(answers, bytes, at);
};

/** Everything that is written to a stream until `end`. */
function capture(stream: NodeJS.WriteStream): () => string {
  const own = stream.write.bind(stream);
  const parts: Buffer[] = [];
  stream.write = (data: string | Uint8Array, ...more: unknown[]) => {
    parts.push(Buffer.from(data as string));
    const done = more.find((part) => typeof part === 'function') as (() => void) | undefined;
    if (done) queueMicrotask(done);
    return true;
  };
  return () => {
    stream.write = own;
    return Buffer.concat(parts).toString();
  };
}

async function run({ args, cwd, env }: Request): Promise<Result> {
  process.chdir(cwd);
  for (const name of Object.keys(process.env)) if (!(name in env)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, env);
  const [stdout, stderr] = [process.stdout, process.stderr].map(capture);
  const status = await dispatch(args);
  return { status, stdout: stdout(), stderr: stderr() };
}

answer('ready');
for await (const line of createInterface({ input: createReadStream(requests) }))
  answer(await run(JSON.parse(line) as Request));
