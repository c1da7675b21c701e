import { Agent, request } from 'node:http';
import { ANSWERED_WITHIN } from './rounds';

/** A request as it goes over the wire: nothing of it is made right on the way, as `fetch` would. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
}

export interface WireAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 32 });

/** @returns null when there was no answer, or half of one */
export function send(port: number, { method, path, headers, body }: WireRequest): Promise<WireAnswer | null> {
  return new Promise((resolve) => {
    const asked = request({ port, host: '127.0.0.1', method, path, agent, timeout: ANSWERED_WITHIN });
    for (const [name, value] of Object.entries(headers)) asked.setHeader(name, value);
    asked.setHeader('Content-Length', body.length);
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(null));
    asked.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => resolve(null));
      response.on('end', () => {
        const contentType = response.headers['content-type'] ?? '';
        resolve({ status: response.statusCode ?? 0, contentType, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    asked.end(body);
  });
}

export function closeConnections(): void {
  agent.destroy();
}

/** For a finding: enough to see what it was, in one line. */
export function shown({ method, path, headers, body }: WireRequest): string {
  return `${method} ${path.slice(0, 300)} ${JSON.stringify(headers).slice(0, 400)} ${body.toString('latin1').slice(0, 300)}`;
}
