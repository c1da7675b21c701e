import type { Express } from 'express';
import { appEvents } from './app-events';
import { subjectOfAccounts } from './accounts';
import { alerts } from './alerts';
import { alertTwiml } from './alert-twiml';
import { createAuthentication } from './authentication';
import { bareApp } from './bare-app';
import { callStatus } from './call-status';
import { consentTexts } from './consent-texts';
import { contactPointVerification } from './contact-point-verification';
import { contactPoints } from './contact-points';
import { costs } from './costs';
import type { ApiDeps } from './deps';
import { docsPage } from './docs-page';
import { eventStream } from './event-stream';
import { health } from './health';
import { homePage } from './home-page';
import { inboundCalls } from './inbound-calls';
import { inboundTexts } from './inbound-texts';
import { mailEvents } from './mail-events';
import { mentorCalls } from './mentor-calls';
import { mentors } from './mentors';
import { messageBatches } from './message-batches';
import { preferences } from './preferences';
import { messages } from './messages';
import { messageStatus } from './message-status';
import { problemPages } from './problem-pages';
import type { ProblemSettings } from './problems';
import { createRequestLimits } from './rate-limits';
import { createRoutes } from './routes';
import { switches } from './switches';
import { templates } from './templates';
import { terminalErrorHandler, unknownAddress } from './terminal-error-handler';
import { voiceWebhooks } from './twilio-voice-webhooks';
import { unsubscribe } from './unsubscribe';
import { webhookEvents } from './webhook-events';

/** The whole HTTP application, made of what it is given; listens to nothing by itself. */
export function createApi(deps: ApiDeps): Express {
  const { config, logger } = deps;
  const app = bareApp(config.api.trustProxyHops, logger);
  if (deps.metrics !== null) app.use(deps.metrics.observe);

  const settings: ProblemSettings = {
    publicBaseUrl: config.api.publicBaseUrl,
    crisisOverride: config.helplines.crisisOverride,
    defaultCountry: config.limits.allowedCountries[0] ?? 'US',
  };
  const authenticate = createAuthentication({
    issuer: config.oidc.issuer,
    audience: config.oidc.audience,
    rolesClaim: config.oidc.rolesClaim,
    keys: deps.signingKeys,
    subjectOf: subjectOfAccounts(deps.pool, deps.tokenizer),
  });
  const { authToken, secondaryAuthToken, accountSid, webhookBaseUrl } = config.twilio;
  const verifier = {
    baseUrl: webhookBaseUrl,
    accountSid,
    authTokens: secondaryAuthToken === null ? [authToken] : [authToken, secondaryAuthToken],
  };
  const limits = createRequestLimits(deps.pool, deps.tokenizer, config.limits.requests);
  const routes = createRoutes(app, authenticate, verifier, limits, deps.sns, logger);

  homePage(routes, deps);
  health(routes, deps);
  problemPages(routes, settings.publicBaseUrl, config.privacyPolicyUrl);
  docsPage(routes, config.privacyPolicyUrl);
  consentTexts(routes);
  mentorCalls(routes, deps, settings);
  messageBatches(routes, deps);
  contactPoints(routes, deps);
  contactPointVerification(routes, deps);
  messages(routes, deps);
  mentors(routes, deps);
  templates(routes, deps);
  preferences(routes, deps);
  switches(routes, deps);
  webhookEvents(routes, deps);
  appEvents(routes, deps);
  eventStream(routes, deps);
  alerts(routes, deps);
  alertTwiml(routes, deps);
  voiceWebhooks(routes, deps);
  inboundCalls(routes, deps);
  inboundTexts(routes, deps);
  callStatus(routes, deps);
  costs(routes, deps);
  mailEvents(routes, deps);
  unsubscribe(routes, deps);
  messageStatus(routes, deps);
  routes.complete();

  app.use(unknownAddress());
  app.use(terminalErrorHandler(settings, logger));
  return app;
}
