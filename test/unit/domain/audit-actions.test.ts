import { allowedAuditKeys } from '../../../domain/audit-actions';

describe('audit actions', () => {
  it('are a closed list: nothing else is an action', () => {
    expect(allowedAuditKeys('mentor-call.requested')).toEqual(
      new Set(['action', 'actor', 'at', 'entry_id', 'object_id', 'outcome', 'purpose']),
    );
    for (const unknown of ['call.opened', '', 'constructor', '__proto__']) expect(allowedAuditKeys(unknown)).toBeNull();
  });

  it('say no more than they need to', () => {
    expect(allowedAuditKeys('mentor-call.read')?.has('purpose')).toBe(false);
    expect(allowedAuditKeys('subject.erased')?.has('purpose')).toBe(false);
  });
});
