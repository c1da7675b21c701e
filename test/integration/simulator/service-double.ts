import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { validateRequest } from 'twilio';

export interface Received {
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly token: string;
  /** Checked with the `twilio` package. */
  readonly signatureIsGood: boolean;
  readonly at: number;
}

/** What to answer with: TwiML, or a status. */
export type Answer = string | { readonly status: number; readonly body?: string; readonly type?: string };

/** A service that Twilio talks to: real HTTP, real signatures, answers by path. */
export class ServiceDouble {
  readonly received: Received[] = [];
  private readonly answers = new Map<string, (request: Received) => Answer | Promise<Answer>>();
  private readonly server = createServer((req, res) => void this.handle(req, res));
  private port = 0;

  constructor(private readonly authToken: string) {}

  async start(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    const address = this.server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Answers requests to `path` (query left out) with TwiML or as the function says. */
  on(path: string, answer: Answer | ((request: Received) => Answer | Promise<Answer>)): void {
    this.answers.set(path, typeof answer === 'function' ? answer : () => answer);
  }

  at(path: string): Received[] {
    return this.received.filter((request) => request.path.split('?')[0] === path);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
  }

  private async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let body = '';
    for await (const part of req) body += String(part);
    const path = req.url ?? '/';
    const form = Object.fromEntries(new URLSearchParams(body));
    const query = Object.fromEntries(new URLSearchParams(path.split('?')[1] ?? ''));
    const signature = String(req.headers['x-twilio-signature'] ?? '');
    const request: Received = {
      path,
      params: req.method === 'GET' ? query : form,
      token: String(req.headers['i-twilio-idempotency-token'] ?? ''),
      signatureIsGood: validateRequest(this.authToken, signature, `${this.url}${path}`, form),
      at: Date.now(),
    };
    this.received.push(request);
    const answer = await (this.answers.get(path.split('?')[0] ?? '')?.(request) ?? { status: 204 });
    const whole = typeof answer === 'string' ? { status: 200, body: answer, type: 'text/xml' } : answer;
    res.writeHead(whole.status, whole.type === undefined ? {} : { 'Content-Type': whole.type });
    res.end(whole.body);
  }
}
