import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import { pause } from '../clock';
import type { FaultPlan } from '../faults';
import type { Fault } from '../types';
import type { Mailbox } from './mailbox';

export interface SmtpOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly host: string;
  readonly mailbox: Mailbox;
  readonly faults: FaultPlan;
}

export interface Smtp {
  readonly port: number;
  close(): Promise<void>;
}

/** Large enough for any mail of ours, small enough to notice one that is not. */
const MOST_BYTES = 5 * 1024 * 1024;

/** An error that a client is told, with its reply code. */
class Refusal extends Error {
  constructor(
    readonly responseCode: number,
    message: string,
  ) {
    super(message);
    this.name = 'Refusal';
  }
}

/** A mail server that takes every mail for the mailbox: without encryption, and with any password or none. */
export async function startSmtp(options: SmtpOptions): Promise<Smtp> {
  const { mailbox, faults } = options;
  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    // It has no certificate that anybody could trust.
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    size: MOST_BYTES,
    banner: 'Kindline simulator: no mail leaves this machine',
    onAuth: (_auth, _session, done) => done(null, { user: 'anybody' }),
    onRcptTo: ({ address }, _session, done) => {
      const fault = faults.take('mail-recipient', { to: address });
      if (fault?.kind === 'refused') done(new Refusal(550, '5.1.1 No such recipient here'));
      else if (fault?.kind === 'busy') done(new Refusal(451, '4.3.0 Try again later'));
      else done();
    },
    onData: (stream, session, reply) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('error', reply);
      stream.on('end', () => {
        const [from, ...to] = addressesOf(session);
        const fault = faults.take('mail', { to: to[0] ?? '' });
        takeMail(fault, () => mailbox.receive(Buffer.concat(parts), { from: from ?? '', to })).then(
          (isAnswered) => (isAnswered ? reply() : breakOff(server, session)),
          (error: unknown) => reply(error instanceof Error ? error : new Error('the mail cannot be read')),
        );
      });
    },
  });
  // A client that goes away in the middle is no news.
  server.on('error', () => {});
  await new Promise<void>((resolve) => {
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: portOf(server.server.address()),
    close: () =>
      new Promise((resolve) => {
        for (const connection of server.connections) connection.close();
        server.close(() => resolve());
      }),
  };
}

/** @returns false when the connection is to break instead of an answer. @throws Refusal */
async function takeMail(fault: Fault | null, receive: () => Promise<unknown>): Promise<boolean> {
  switch (fault?.kind) {
    case 'refused':
      throw new Refusal(554, '5.6.0 Refused on purpose');
    case 'busy':
      throw new Refusal(451, '4.3.0 Try again later');
    case 'reset':
      return false;
    case 'lost':
      return true;
    case 'late':
      await pause(fault.delayMs ?? 1_000);
      break;
    default:
  }
  await receive();
  return fault?.kind !== 'drop-response';
}

function breakOff(server: SMTPServer, session: SMTPServerSession): void {
  for (const connection of server.connections) {
    if (connection.session.id === session.id) connection.close();
  }
}

/** Sender first. */
function addressesOf(session: SMTPServerSession): string[] {
  const { mailFrom, rcptTo } = session.envelope;
  return [mailFrom === false ? '' : mailFrom.address, ...rcptTo.map(({ address }) => address)];
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the mail server listens on no port');
  return address.port;
}
