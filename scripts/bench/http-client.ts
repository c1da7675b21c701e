/** One client that asks one thing after the other over one kept connection. */
import { Agent, request } from 'node:http';

export interface OneByOne {
  /**
   * @returns milliseconds from asking until the whole answer is here
   * @throws Error for any other status than the one expected: what is refused is fast
   */
  post(url: string, headers: Readonly<Record<string, string>>, body: string, expected: number): Promise<number>;
  close(): void;
}

export function oneByOne(): OneByOne {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    post: (url, headers, body, expected) =>
      new Promise((resolve, reject) => {
        const began = performance.now();
        const asked = request(url, { method: 'POST', agent, headers }, (answer) => {
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (part: string) => {
            text += part;
          });
          answer.once('end', () => {
            if (answer.statusCode === expected) resolve(performance.now() - began);
            else reject(new Error(`${url} answered ${answer.statusCode}: ${text}`));
          });
        });
        asked.once('error', reject);
        asked.end(body);
      }),
    close: () => agent.destroy(),
  };
}
