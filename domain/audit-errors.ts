import { KindlineError } from './errors';

const TEXTS = {
  'lower-transactions':
    'The database numbers its transactions lower than the audit chain does: it was brought back from a logical dump.',
  'other-database': 'The newest audit checkpoint was written for another database.',
  'unreadable-checkpoint': 'The newest audit checkpoint is not one that we have signed.',
  'not-vouched-for': 'The audit chain is not the one that the newest checkpoint vouches for: it was cut or changed.',
} as const;

/** Thrown when the audit trail cannot go on as it is and somebody has to look (docs/audit.md says what to do). */
export class AuditChainError extends KindlineError {
  override readonly name = 'AuditChainError';

  constructor(code: keyof typeof TEXTS) {
    super(code, TEXTS[code]);
  }
}
