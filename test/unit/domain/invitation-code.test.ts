import * as fc from 'fast-check';
import { INVITATION_BYTES, invitationCode, parseInvitationCode } from '../../../domain/invitation-code';

const random = fc.uint8Array({ minLength: INVITATION_BYTES, maxLength: INVITATION_BYTES });

describe('the code of an invitation', () => {
  it('is three groups of four, without letters that are taken for others', () => {
    fc.assert(
      fc.property(random, (bytes) =>
        /^(?:[0-9A-HJKMNP-TV-Z]{4}-){2}[0-9A-HJKMNP-TV-Z]{4}$/.test(invitationCode(bytes)),
      ),
    );
  });

  it('uses five bits of every byte', () => {
    const codes = Array.from({ length: 32 }, (_, n) => invitationCode(new Uint8Array(INVITATION_BYTES).fill(n)));
    expect(new Set(codes).size).toBe(32);
    expect(() => invitationCode(new Uint8Array(INVITATION_BYTES - 1))).toThrow(RangeError);
  });

  it('is read however somebody types it', () => {
    fc.assert(
      fc.property(random, fc.constantFrom('', ' ', '-', '–', ' - '), fc.boolean(), (bytes, between, isSmall) => {
        const code = invitationCode(bytes);
        const typed = ` ${code.replaceAll('-', between)} `.replaceAll('0', 'o').replaceAll('1', 'l');
        return parseInvitationCode(isSmall ? typed.toLowerCase() : typed) === code;
      }),
    );
  });

  it.each(['', 'K7QM-2XPD', 'K7QM-2XPD-9WTF-0', 'K7QM-2XPD-9WT!', 'UUUU-UUUU-UUUU', '0'.repeat(200)])(
    'is not "%s"',
    (typed) => expect(parseInvitationCode(typed)).toBeNull(),
  );
});
