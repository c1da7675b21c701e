import {
  dialledAs,
  HELPLINE_COUNTRIES,
  helplineNumbers,
  helplinesFor,
  helplinesToDial,
  staleHelplines,
} from '../../../domain/helplines';
import { parsePhoneNumber } from '../../../domain/phone-number';

describe('helplines', () => {
  it('of the United States are 988, 911 and the real number of Postpartum Support International', () => {
    const { crisis, emergency, psi } = helplinesFor('US');
    expect([crisis.number, emergency.number, psi?.number]).toEqual(['988', '911', '+18009444773']);
  });

  it('never name the former lifeline as PSI', () => {
    for (const country of [...HELPLINE_COUNTRIES, 'ZZ']) {
      expect(helplinesFor(country).psi?.number).not.toBe('+18002738255');
    }
  });

  it.each([...HELPLINE_COUNTRIES, 'ZZ'])('of %s have an operator, a source on the web and a date', (country) => {
    const { crisis, second, emergency, psi } = helplinesFor(country);
    for (const line of [crisis, second, emergency, psi]) {
      if (line === null) continue;
      expect(line.operator).not.toBe('');
      expect(line.source).toMatch(/^https:\/\//);
      expect(line.checked).toMatch(/^\d{4}-\d{2}-\d{2}$/);
      expect(line.alternative ?? '+18005550100').toMatch(/^\+[1-9]\d{6,14}$/);
      expect(line.number ?? '112').toMatch(line.dial === 'e164' ? /^\+[1-9]\d{6,14}$/ : /^\d{3,6}$/);
    }
  });

  it.each([...HELPLINE_COUNTRIES, 'ZZ'])('never let us dial the emergency number of %s', (country) => {
    const { emergency } = helplinesFor(country);
    expect(emergency.dialable).toBe(false);
    expect(dialledAs(emergency, country, country)).toBeNull();
  });

  it('of an unknown country offer a directory and 112, and dial nothing', () => {
    for (const country of ['DE', 'toString', '', null]) {
      const { crisis, emergency, country: known } = helplinesFor(country);
      expect(known).toBe('ZZ');
      expect(emergency.number).toBe('112');
      expect(dialledAs(crisis, known, 'US')).toBeNull();
    }
  });
});

describe('dialling a helpline', () => {
  it('uses the short number only with a number of ours in its country', () => {
    const { crisis } = helplinesFor('US');
    expect(dialledAs(crisis, 'US', 'US')).toBe('988');
    expect(dialledAs(crisis, 'US', 'GB')).toBe('+18002738255');
    expect(dialledAs(helplinesFor('GB').crisis, 'GB', 'US')).toBeNull();
    expect(dialledAs(helplinesFor('GB').crisis, 'GB', 'GB')).toBe('116123');
    expect(dialledAs(helplinesFor('MX').crisis, 'MX', 'US')).toBe('+528009112000');
  });
});

describe('the second helpline', () => {
  it.each(HELPLINE_COUNTRIES)('of %s is of another operator, exists, and can be dialled', (country) => {
    const { crisis, second } = helplinesFor(country);
    expect(second?.operator).not.toBe(crisis.operator);
    expect(second?.source).not.toBe(crisis.source);
    const { country: where } = parsePhoneNumber(second?.number ?? '');
    // The numbering plan of North America is shared, and its toll-free numbers belong to no one country.
    expect([country, 'US', 'CA']).toContain(where);
    expect(second === null ? null : dialledAs(second, country, null)).toBe(second?.number);
  });

  it('is dialled after the first, and is the only one where the first is a number of another country’s network', () => {
    const numbers = (country: string, from: string, override: string | null = null) =>
      helplinesToDial(country, from, override).map(({ number }) => number);
    expect(numbers('US', 'US')).toEqual(['988', '+18338526262']);
    expect(numbers('GB', 'GB')).toEqual(['116123', '+448005858585']);
    expect(numbers('GB', 'US')).toEqual(['+448005858585']);
    expect(numbers('DE', 'US')).toEqual([]);
  });

  it('is the country’s own first one behind the organisation’s number', () => {
    const numbers = (country: string, override: string) =>
      helplinesToDial(country, country, override).map(({ number }) => number);
    expect(numbers('US', '+14155550199')).toEqual(['+14155550199', '988']);
    expect(numbers('US', '988')).toEqual(['988', '+18338526262']);
    expect(numbers('DE', '+14155550199')).toEqual(['+14155550199']);
    expect(helplineNumbers(helplinesFor('US', '+14155550199'))).toEqual(['+14155550199', '988']);
  });
});

describe('FALLBACK_CRISIS_NUMBER', () => {
  it('replaces the crisis line everywhere when it is a full number', () => {
    for (const country of ['US', 'GB', 'DE']) {
      const { crisis, country: known } = helplinesFor(country, '+14155550199');
      expect(dialledAs(crisis, known, null)).toBe('+14155550199');
    }
  });

  it('988 means 988 where that exists and changes nothing where it would reach nobody', () => {
    expect(helplinesFor('US', '988').crisis.number).toBe('988');
    expect(helplinesFor('CA', '988').crisis.number).toBe('988');
    expect(helplinesFor('GB', '988').crisis.number).toBe('116123');
  });
});

describe('stale helplines', () => {
  it('are none within a year of the check and all after it', () => {
    expect(staleHelplines(new Date('2026-12-01'))).toEqual([]);
    const stale = staleHelplines(new Date('2028-01-01'));
    expect(stale).toContain('US.psi');
    expect(stale.filter((name) => name.endsWith('.crisis'))).toHaveLength(HELPLINE_COUNTRIES.length);
  });
});

it('PSI can be reached with a number that exists', () => {
  expect(parsePhoneNumber(helplinesFor('US').psi?.number ?? '').type).toBe('toll-free');
});
