import type { Express } from 'express';
import { appEvents } from './app-events';
import { subjectOfAccounts } from './accounts';
import { alerts } from './alerts';
import { alertTwiml } from './alert-twiml';
import { createAuthentication, createTokenCheck } from './authentication';
import { bareApp } from './bare-app';
import { buddyRights } from './buddy-rights';
import { buddies } from './buddies';
import { buddyChanges } from './buddy-changes';
import { buddyInvitations } from './buddy-invitations';
import { buddyVerifyPage } from './buddy-verify-page';
import { circle } from './circle';
import { callFeedback } from './call-feedback';
import { callQuality } from './call-quality';
import { callStatistics } from './call-statistics';
import { callStatus } from './call-status';
import { callMatching } from './call-matching';
import { checkInPages } from './check-in-pages';
import { checkIns } from './check-ins';
import { consentTexts } from './consent-texts';
import { contactPage } from './contact-page';
import { contactPointVerification } from './contact-point-verification';
import { contactPoints } from './contact-points';
import { costs } from './costs';
import type { ApiDeps } from './deps';
import { coverage } from './coverage';
import { disclosures } from './disclosures';
import { docsPage } from './docs-page';
import { escalationPolicy } from './escalation-policy';
import { eventStream } from './event-stream';
import { health } from './health';
import { homePage } from './home-page';
import { incidents } from './incidents';
import { inboundCalls } from './inbound-calls';
import { inboundTexts } from './inbound-texts';
import { legalHolds } from './legal-holds';
import { mailEvents } from './mail-events';
import { mentorCallAccess } from './mentor-call-access';
import { mentorCalls } from './mentor-calls';
import { mentorSelf } from './mentor-self';
import { mentorShifts } from './mentor-shifts';
import { mentorInvitations } from './mentor-invitations';
import { mentorPage } from './mentor-page';
import { mentors } from './mentors';
import { messageBatches } from './message-batches';
import { preferences } from './preferences';
import { messages } from './messages';
import { messageStatus } from './message-status';
import { createPageSessions } from './page-sessions';
import { problemPages } from './problem-pages';
import type { ProblemSettings } from './problems';
import { createRequestLimits } from './rate-limits';
import { createRoutes } from './routes';
import { signIn } from './sign-in';
import { staffAlerts } from './staff-alerts';
import { staffIncident } from './staff-incident';
import { staffPages } from './staff-pages';
import { switches } from './switches';
import { templates } from './templates';
import { terminalErrorHandler, unknownAddress } from './terminal-error-handler';
import { recordingStatus } from './recording-status';
import { registeredContact } from './registered-contact';
import { recordings } from './recordings';
import { voiceWebhooks } from './twilio-voice-webhooks';
import { unsubscribe } from './unsubscribe';
import { userProfile } from './user-profile';
import { voiceApp } from './voice-app';
import { voiceToken } from './voice-token';
import { webhookEvents } from './webhook-events';
import { wellbeingAlerts } from './wellbeing-alerts';
import { wellbeingScores } from './wellbeing-scores';

/** The whole HTTP application, made of what it is given; listens to nothing by itself. */
export function createApi(deps: ApiDeps): Express {
  const { config, logger } = deps;
  const app = bareApp(config.api.trustProxyHops, logger);
  if (deps.metrics !== null) app.use(deps.metrics.observe);

  const settings: ProblemSettings = {
    publicBaseUrl: config.api.publicBaseUrl,
    crisisOverride: config.helplines.crisisOverride,
    defaultCountry: config.limits.allowedCountries[0] ?? 'US',
    privacyPolicyUrl: config.privacyPolicyUrl,
  };
  const subjectOf = subjectOfAccounts(deps.pool, deps.tokenizer);
  const tokens = {
    issuer: config.oidc.issuer,
    audience: config.oidc.audience,
    rolesClaim: config.oidc.rolesClaim,
    keys: deps.signingKeys,
    subjectOf,
  };
  const authenticate = createAuthentication(tokens);
  const sessions = createPageSessions({
    pool: deps.pool,
    tokenizer: deps.tokenizer,
    cookies: deps.cookies,
    publicBaseUrl: settings.publicBaseUrl,
    lifetimeMs: config.pageSessionMs,
  });
  const { authToken, secondaryAuthToken, accountSid, webhookBaseUrl } = config.twilio;
  const verifier = {
    baseUrl: webhookBaseUrl,
    accountSid,
    authTokens: secondaryAuthToken === null ? [authToken] : [authToken, secondaryAuthToken],
  };
  const limits = createRequestLimits(deps.pool, deps.tokenizer, config.limits.requests);
  const routes = createRoutes(app, authenticate, verifier, limits, deps.sns, logger, sessions);

  homePage(routes, deps);
  health(routes, deps);
  problemPages(routes, settings.publicBaseUrl, config.privacyPolicyUrl);
  docsPage(routes, config.privacyPolicyUrl);
  consentTexts(routes, config.recording.isOn);
  disclosures(routes, deps);
  mentorCalls(routes, deps, settings);
  callFeedback(routes, deps);
  callQuality(routes, deps);
  messageBatches(routes, deps);
  contactPoints(routes, deps);
  contactPointVerification(routes, deps);
  messages(routes, deps);
  checkIns(routes, deps);
  checkInPages(routes, deps);
  mentorCallAccess(routes, deps);
  callMatching(routes, deps);
  // `me` before any id.
  mentorSelf(routes, deps);
  mentorShifts(routes, deps);
  mentors(routes, deps);
  coverage(routes, deps);
  mentorInvitations(routes, deps);
  signIn(routes, deps, { sessions, checkToken: createTokenCheck(tokens), subjectOf });
  mentorPage(routes, deps);
  staffPages(routes, deps);
  staffIncident(routes, deps);
  staffAlerts(routes, deps);
  templates(routes, deps);
  preferences(routes, deps);
  switches(routes, deps);
  webhookEvents(routes, deps);
  appEvents(routes, deps);
  eventStream(routes, deps);
  alerts(routes, deps);
  alertTwiml(routes, deps);
  wellbeingScores(routes, deps);
  wellbeingAlerts(routes, deps);
  escalationPolicy(routes, deps);
  registeredContact(routes, deps);
  contactPage(routes, deps);
  voiceWebhooks(routes, deps);
  voiceApp(routes, deps);
  voiceToken(routes, deps);
  inboundCalls(routes, deps);
  inboundTexts(routes, deps);
  callStatus(routes, deps);
  recordings(routes, deps);
  recordingStatus(routes, deps);
  costs(routes, deps);
  incidents(routes, deps);
  legalHolds(routes, deps);
  callStatistics(routes, deps);
  mailEvents(routes, deps);
  unsubscribe(routes, deps);
  buddyRights(routes, deps);
  circle(routes, deps);
  messageStatus(routes, deps);
  userProfile(routes, deps);
  buddyInvitations(routes, deps);
  buddyVerifyPage(routes, deps);
  // What names a buddy by id comes after every path of its own below /api/buddy.
  buddies(routes, deps);
  buddyChanges(routes, deps);
  routes.complete();

  app.use(unknownAddress());
  app.use(terminalErrorHandler(settings, logger));
  return app;
}
