/** `npm run openapi`: prints the OpenAPI document, as it stands in docs/openapi.json. Starts nothing. */
import { openapiDocument } from '../api/openapi';
import { runCommand } from './command-error';

async function main(): Promise<void> {
  process.stdout.write(`${JSON.stringify(openapiDocument(), null, 2)}\n`);
}

void runCommand(main);
