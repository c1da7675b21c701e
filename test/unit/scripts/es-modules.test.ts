import { generateKeyPair } from 'jose';
import { runner } from 'node-pg-migrate';
import { randomState } from 'openid-client';

describe('packages that are ES modules only', () => {
  it('load under jest', () => {
    expect([typeof generateKeyPair, typeof runner, typeof randomState]).toEqual(['function', 'function', 'function']);
  });
});
