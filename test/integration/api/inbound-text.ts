import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { eventually } from '../../stack';
import type { ApiUnderTest } from './api-under-test';

const OURS = '+14155550100';

/** A text as Twilio hands it over, under a SID of its own unless one is given; its row once it is routed. */
export async function textIn(
  api: ApiUnderTest,
  from: string,
  body: string,
  sid = `SM${randomBytes(16).toString('hex')}`,
): Promise<Record<string, unknown> & { sid: string }> {
  const fields = { MessageSid: sid, SmsSid: sid, From: from, To: OURS, Body: body, NumMedia: '0' };
  expect((await api.twilio('/twiml/inbound-text', fields)).status).toBe(200);
  return { ...(await untilRouted(api.database.owner, sid)), sid };
}

/** The webhook answers after a second although it still looks for where the text belongs. */
export function untilRouted(pool: Pool, sid: string): Promise<Record<string, unknown>> {
  return eventually(async () => {
    const { rows } = await pool.query('SELECT * FROM inbound_texts WHERE message_sid = $1', [sid]);
    if (rows[0]?.routed_as == null) throw new Error('the text is not routed yet');
    return rows[0];
  });
}
