/** The page of a buddy's rights, as it is opened and pressed. */
import { SealedValue } from '../../../domain/sealed';
import type { Tokenizer } from '../../../vault/tokens';
import type { Answer, ApiUnderTest } from '../api/api-under-test';
import type { NamedBuddy } from './people';

export const openRights = (api: ApiUnderTest, token: string): Promise<Answer> =>
  api.ask('GET', `/api/buddy/rights/${token}`);

/** A button of it. */
export const pressRights = (api: ApiUnderTest, token: string, step: string): Promise<Answer> =>
  api.fetch(`/api/buddy/rights/${token}`, { method: 'POST', body: new URLSearchParams({ step }) });

export function tokensOf(tokenizer: Tokenizer, { email, phone }: Pick<NamedBuddy, 'email' | 'phone'>) {
  return {
    email: tokenizer.token(SealedValue.of('email', email)),
    phone: tokenizer.token(SealedValue.of('phone', phone)),
  };
}
