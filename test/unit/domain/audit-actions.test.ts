import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allowedAuditKeys, AUDIT_ACTIONS } from '../../../domain/audit-actions';

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

  it('are each written somewhere', () => {
    const folders = ['activities', 'api', 'db', 'scripts', 'workers'];
    const sources = folders.flatMap((folder) => {
      const dir = join(__dirname, '../../..', folder);
      const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
      return files.map((file) => readFileSync(join(dir, file), 'utf8'));
    });
    const text = sources.join('\n');
    // In so many words, or made of an object and what was done to it.
    const unused = AUDIT_ACTIONS.filter(
      (action) => !text.includes(`'${action}'`) && !text.includes(`\`${action.split('.')[0]}.\${`),
    );
    expect(unused).toEqual([]);
  });
});
