/** What an app does for a call: asks for it, and looks until it is over. */
import { z } from 'zod';
import { currentConsentTexts } from '../../domain/consent-texts';
import type { LedgerEntry } from '../../simulator/client';
import type { BenchGround } from './ground';

const PATIENCE_MS = 120_000;
const accepted = z.object({ callId: z.uuid() });
const state = z.object({ status: z.string(), endedAt: z.string().nullish() });

export interface AskedCall {
  readonly callId: string;
  readonly phone: string;
  readonly token: string;
  /** Before the first byte of the request (ms since 1970). */
  readonly askedAt: number;
}

/** @throws ZodError when the request is not taken */
export async function askForCall(ground: BenchGround, phone: string, token: string): Promise<AskedCall> {
  const consent = { textVersion: currentConsentTexts()[0]?.version ?? '', language: 'en' };
  const body = JSON.stringify({ userPhoneNumber: phone, consent });
  const askedAt = Date.now();
  const answer = await fetch(`${ground.apiUrl}/connect-mentor`, { method: 'POST', headers: headersOf(token), body });
  return { callId: accepted.parse(await answer.json()).callId, phone, token, askedAt };
}

/** Waits for the end of a call. @throws Error when it ends otherwise than it should, or not */
export async function untilOver(ground: BenchGround, call: AskedCall, wanted: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  const url = `${ground.apiUrl}/mentor-calls/${call.callId}`;
  for (;;) {
    const { status, endedAt } = state.parse(await (await fetch(url, { headers: headersOf(call.token) })).json());
    if (endedAt != null && status === wanted) return;
    // Its figure would be that of another story.
    if (endedAt != null || Date.now() > deadline) throw new Error(`a call that should be ${wanted} is ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** The first ring of the user's phone for a call; phones have been rung for earlier calls too. */
export function ringOf(ledger: readonly LedgerEntry[], call: AskedCall): LedgerEntry & { readonly ringingAt: string } {
  const leg = ledger.find(({ to, ringingAt }) => to === call.phone && Date.parse(ringingAt ?? '') >= call.askedAt);
  if (leg?.ringingAt == null) throw new Error('a phone that should have rung has not');
  return { ...leg, ringingAt: leg.ringingAt };
}

function headersOf(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
}
