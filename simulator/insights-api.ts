import { Router } from 'express';
import { notFound } from './api-errors';
import type { Engine } from './engine';
import type { Leg } from './leg';
import { pathOf, type Serve } from './rest-route';

/**
 * Voice Insights' summary of a leg, on the simulator's one host. It is not in the OpenAPI document that the rest is held
 * against; its fields are those of Twilio's page "Details: Call Summary". Every line is without trouble.
 */
export function createInsightsApi(engine: Engine, serve: Serve): Router {
  const router = Router();
  router.get(
    '/v1/Voice/:sid/Summary',
    serve({
      place: 'read',
      work: (req) => {
        const leg = engine.find(String(req.params.sid));
        if (leg === null) throw notFound(pathOf(req));
        return { status: 200, body: summaryOf(engine, leg) };
      },
    }),
  );
  return router;
}

function summaryOf(engine: Engine, leg: Leg) {
  const dialling = leg.dialledAt && leg.ringingAt ? engine.clock.between(leg.dialledAt, leg.ringingAt) : null;
  const stream = { codec: 2, packet_loss_percentage: 0, jitter: { avg: 1.2, max: 4 } };
  return {
    account_sid: engine.accountSid,
    call_sid: leg.sid,
    call_type: 'carrier',
    call_state: leg.status,
    // Twilio takes up to half an hour after the end.
    processing_state: leg.isOver ? 'complete' : 'partial',
    created_time: leg.createdAt.toISOString(),
    start_time: leg.dialledAt?.toISOString() ?? null,
    end_time: leg.endedAt?.toISOString() ?? null,
    duration: null,
    connect_duration: null,
    processing_version: 1,
    from: {},
    to: {},
    properties: {
      pdd_ms: dialling,
      last_sip_response_num: leg.sipResponseCode ?? 200,
      disconnected_by: 'callee',
      direction: leg.direction.replaceAll('-', '_'),
    },
    carrier_edge: leg.answeredAt ? { metrics: { inbound: stream, outbound: stream } } : null,
    client_edge: null,
    sdk_edge: null,
    sip_edge: null,
    tags: [],
    attributes: {},
    url: `https://insights.twilio.com/v1/Voice/${leg.sid}/Summary`,
  };
}
