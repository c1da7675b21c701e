import { KindlineError } from '../domain/errors';

/** Thrown when a workflow has ended, or never was: answer from the row, change nothing. */
export class ProcessIsOver extends KindlineError {
  override readonly name = 'ProcessIsOver';

  constructor() {
    super('process-is-over', 'The process is over');
  }
}

/** Thrown when a workflow refused a question: it came too late, or does not fit. */
export class QuestionRefused extends KindlineError {
  override readonly name = 'QuestionRefused';

  /** @param why type of the failure by which it refused; null: it did not say */
  constructor(readonly why: string | null = null) {
    super('question-refused', 'The workflow refused the question');
  }
}

/** Thrown when Temporal answers, but no worker has prepared the namespace for us yet. */
export class TemporalNotPrepared extends KindlineError {
  override readonly name = 'TemporalNotPrepared';

  constructor() {
    super('temporal-not-prepared', 'The namespace is missing, or its search attributes are');
  }
}

/** Thrown when Temporal answers that it will never take what was asked: asking again cannot help. */
export class TemporalRefused extends KindlineError {
  override readonly name = 'TemporalRefused';

  constructor() {
    super('temporal-refused', 'Temporal refused what it was asked');
  }
}

/** Thrown when Temporal or its workers did not answer in time. What was asked may still be done. */
export class TemporalNotInTime extends KindlineError {
  override readonly name = 'TemporalNotInTime';

  constructor() {
    super('temporal-not-in-time', 'Temporal did not answer in time');
  }
}
