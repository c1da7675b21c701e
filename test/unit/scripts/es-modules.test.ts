import { generateKeyPair } from 'jose';
import { runner } from 'node-pg-migrate';

describe('packages that are ES modules only', () => {
  it('load under jest', () => {
    expect([typeof generateKeyPair, typeof runner]).toEqual(['function', 'function']);
  });
});
