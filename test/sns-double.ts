import { createServer, type Server } from 'node:http';
import { SNS_TOPIC, type SnsFields, SnsTopic } from '../simulator/sns/topic';

export const TOPIC = SNS_TOPIC;

/** AWS SNS as far as we hear from it, on a server of its own that counts, and can be down. */
export class SnsDouble {
  /** Queries of the confirmations it got. */
  readonly confirmed: URLSearchParams[] = [];
  /** How often the certificate was fetched. */
  fetched = 0;
  /** Answers nothing but 500 while set. */
  isDown = false;

  private constructor(
    private readonly server: Server,
    private readonly topic: SnsTopic,
    readonly url: string,
  ) {}

  static async start(days = 2): Promise<SnsDouble> {
    const topic = new SnsTopic(days);
    let double: SnsDouble | null = null;
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      if (double === null || double.isDown) response.writeHead(500).end();
      else if (url.pathname === topic.certificatePath) {
        double.fetched += 1;
        response.end(topic.certificate);
      } else {
        double.confirmed.push(url.searchParams);
        response.end('<ConfirmSubscriptionResponse/>');
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    double = new SnsDouble(server, topic, `http://127.0.0.1:${port}`);
    return double;
  }

  get certificateUrl(): string {
    return this.url + this.topic.certificatePath;
  }

  /** A notification, signed; `change` is applied before the signature, `after` behind its back. */
  notification(message: string, change: SnsFields = {}, after: SnsFields = {}): string {
    return this.signed({ Message: message, ...change }, after);
  }

  signed(fields: SnsFields, after: SnsFields = {}): string {
    return JSON.stringify(this.topic.signed(this.url, fields, after));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
