/** Buddies as they act: by the links in their mails and texts, and by the buttons of the pages behind them. */
import { MARKED } from './marked-people';
import type { TestStack } from './stack';

/** The newest link in the mails to an address; null: none has come. */
export async function tokenInMail(stack: TestStack, address: string): Promise<string | null> {
  return (await tokensInMails(stack, address)).at(-1) ?? null;
}

/** Of the link in each invitation to an address, oldest first. */
export async function tokensInMails(stack: TestStack, address: string): Promise<string[]> {
  const mails = await stack.sim.mailbox(address);
  return mails.flatMap(({ text }) => /verify\?token=([\w-]{64})/.exec(text ?? '')?.[1] ?? []);
}

export type TextedPage = 'buddy/checkin' | 'buddy/alert' | 'contact';

/** Of the link in each text to a phone that leads to this page, oldest first. */
export async function tokensInTexts(stack: TestStack, phone: string, page: TextedPage): Promise<string[]> {
  const link = new RegExp(`/${page}/([\\w-]{64})`);
  const texts = (await stack.sim.messages()).filter(({ direction, to }) => direction !== 'inbound' && to === phone);
  return texts.flatMap(({ body }) => link.exec(body)?.[1] ?? []);
}

/** What a browser sends when a button of a page is pressed; with `TRUST_PROXY_HOPS=1` the address counts too. */
export function pressed(fields: Readonly<Record<string, string>>): RequestInit {
  return {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      'User-Agent': MARKED.userAgent,
      'X-Forwarded-For': MARKED.ip,
    },
    body: new URLSearchParams(fields).toString(),
  };
}
