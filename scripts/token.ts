/** `npm run token -- --role user [--subject UUID]`: an access token of the local issuer, for curl. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { CommandError, runCommand } from './command-error';
import { runningAddresses } from './running-stack';

const issuerAnswer = z.object({ access_token: z.string().optional(), error_description: z.string().optional() });

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { role: { type: 'string' }, subject: { type: 'string' } } });
  if (values.role === undefined) throw new CommandError('usage: npm run token -- --role user [--subject UUID]');
  const response = await fetch(`${runningAddresses().simulator}/oidc/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(values),
  }).catch(() => {
    throw new CommandError('The local issuer does not answer: is npm start still running?');
  });
  const answer = issuerAnswer.parse(await response.json());
  if (answer.access_token === undefined) {
    throw new CommandError(answer.error_description ?? `The issuer answered ${response.status}.`);
  }
  process.stdout.write(`${answer.access_token}\n`);
}

void runCommand(main);
