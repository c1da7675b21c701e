import type { StoredEvent } from '../db/webhook-events';
import type { ApiDeps } from './deps';

/**
 * What came of handing an event over: a workflow was told, is over, or had nothing to learn from it; `handled` where
 * no workflow is asked.
 */
export type Told = 'signalled' | 'closed' | 'nothing-to-tell' | 'handled';

/**
 * Hands a stored event to whoever it is for, without the check whether it was seen before: the same step as its webhook
 * takes after storing. It lives with its webhook, and must bear being run twice.
 * @returns null for an event that lacks what its handler needs; else the step, which throws when it was not taken
 */
export type EventHandler = (deps: ApiDeps, event: StoredEvent) => (() => Promise<Told>) | null;
