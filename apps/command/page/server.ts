/** A web server for the page, on this machine alone. What it serves is in memory before it starts: no path of a request is ever opened. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isSystemError } from '../../host/errors.ts';
import { CliError } from '../errors.ts';

/** By path, without the slash in front. */
export type PageFiles = ReadonlyMap<string, Uint8Array>;

export interface PageServerOptions {
  /** 0 for any that is free. */
  readonly port: number;
  /** Whether to send the headers that let the page share memory between threads; default true. */
  readonly isolated?: boolean;
}

export interface PageServer {
  readonly url: string;
  close(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  txt: 'text/plain; charset=utf-8',
};

/** Scripts and workers of the page itself, kernels that they generate, and nothing from elsewhere. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** @throws CliError if the port cannot be used */
export async function servePage(files: PageFiles, { port, isolated = true }: PageServerOptions): Promise<PageServer> {
  const headers = {
    'Content-Security-Policy': POLICY,
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-cache',
    ...(isolated ? isolation : {}),
  };
  const server = createServer((request, response) => {
    const { status, type, body } = answer(files, request);
    response.writeHead(status, { ...headers, 'Content-Type': type, 'Content-Length': body.length });
    end(request, response, body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(portFailure(error, port)));
    server.listen({ host: '127.0.0.1', port }, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://localhost:${address.port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array;
}

function answer(files: PageFiles, { method, url = '/', headers }: IncomingMessage): Answer {
  const plain = (status: number, text: string): Answer => ({
    status,
    type: types['txt'],
    body: Buffer.from(`${text}\n`),
  });
  // A name that another site has pointed at this machine must not read what is served here.
  if (!/^(localhost|127\.0\.0\.1)(:\d+)?$/.test(headers.host ?? '')) return plain(403, 'this server is for localhost');
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'there is only GET here');
  const path = url.replace(/[?#].*$/s, '').slice(1);
  const name = path === '' ? 'index.html' : path;
  const body = files.get(name);
  if (!body) return plain(404, 'there is no such file');
  return { status: 200, type: types[name.replace(/^.*\./s, '')] ?? 'application/octet-stream', body };
}

function end({ method }: IncomingMessage, response: ServerResponse, body: Uint8Array): void {
  if (method === 'HEAD') response.end();
  else response.end(body);
}

function portFailure(error: Error, port: number): Error {
  if (!isSystemError(error)) return error;
  if (error.code === 'EADDRINUSE')
    return new CliError(`port ${port} is in use`, 'choose another, or any that is free: --port 0');
  if (error.code === 'EACCES') return new CliError(`port ${port} is not for you`, 'choose one above 1023, or --port 0');
  return new CliError(`cannot listen on port ${port}: ${error.code}`, 'choose another port');
}
