/**
 * Twilio's Voice Insights: what it measured of a leg. A product of its own, on another host, to be switched on in the
 * console. It is not in Twilio's OpenAPI document that the simulator is held against: the fields are those of its page
 * "Details: Call Summary", and nobody has seen them on a live account yet, so whatever is not there is null.
 */
import { z } from 'zod';
import type { LegInsights } from '../domain/call-quality';
import { orNullWhenUnknown, translated } from './translated';
import { createTwilioClient, type TwilioAccount } from './twilio-client';

export interface InsightsProvider {
  /** @returns null while the summary is not complete, or where there is none; throws a `ProviderError` and nothing else */
  readLeg(callSid: string): Promise<LegInsights | null>;
  close(): void;
}

const number = z.number().nullish().catch(null);
const stream = z
  .looseObject({ jitter: z.looseObject({ max: number }).nullish().catch(null), packet_loss_percentage: number })
  .nullish()
  .catch(null);
const edge = z
  .looseObject({ metrics: z.looseObject({ inbound: stream, outbound: stream }).nullish().catch(null) })
  .nullish()
  .catch(null);
const properties = z
  .looseObject({
    pdd_ms: number,
    last_sip_response_num: z.int().nullish().catch(null),
    disconnected_by: z
      .string()
      .regex(/^[a-z_]{1,30}$/)
      .nullish()
      .catch(null),
  })
  .nullish()
  .catch(null);
const tag = z.string().regex(/^[a-z_]{1,60}$/);

export function createTwilioInsights(account: TwilioAccount, options: { httpTimeoutMs: number }): InsightsProvider {
  const { client, http } = createTwilioClient(account, options);
  return {
    readLeg: (callSid) =>
      translated('read-call', async () => {
        const summary = await orNullWhenUnknown(client.insights.v1.calls(callSid).summary().fetch());
        if (summary === null || summary.processingState !== 'complete') return null;
        const measured = [summary.carrierEdge, summary.clientEdge, summary.sipEdge].flatMap((each) => {
          const metrics = edge.parse(each)?.metrics;
          return [metrics?.inbound, metrics?.outbound].filter((one) => one != null);
        });
        const said = properties.parse(summary.properties);
        return {
          jitterMs: worst(measured.map(({ jitter }) => jitter?.max)),
          packetLossPercent: worst(measured.map((one) => one.packet_loss_percentage)),
          postDialDelayMs: said?.pdd_ms ?? null,
          sipCode: said?.last_sip_response_num ?? null,
          disconnectedBy: said?.disconnected_by ?? null,
          // Closed lists of Twilio's; anything else may hold anything.
          tags: (summary.tags ?? []).filter((each) => tag.safeParse(each).success).slice(0, 20),
        };
      }),
    close: () => http.close(),
  };
}

function worst(values: readonly (number | null | undefined)[]): number | null {
  const told = values.filter((value) => value != null);
  return told.length === 0 ? null : Math.max(...told);
}
