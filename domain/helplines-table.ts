/**
 * Helplines per country: real, public numbers, each with its operator and the operator's own page.
 * `checked` is the day the entry was written or last compared with its source. Whoever runs this service compares
 * them again before the first real call, and once a year; an older entry warns at start (see `staleHelplines`).
 *
 * Emergency numbers are shown, never dialled: an emergency call placed from a server reaches the wrong dispatch
 * centre. The number 1-800-273-8255 that circulates as "PSI" is the former suicide lifeline (now 988), not PSI's.
 */
import type { Helpline } from './helplines';

interface CountryHelplines {
  readonly crisis: Helpline;
  /** Dialled when the first is busy or does not answer; another operator, as far as that can be had round the clock. */
  readonly second?: Helpline;
  readonly emergency: Helpline;
  readonly psi?: Helpline;
}

const checked = '2026-11-21';
/** Of the second lines. */
const secondChecked = '2026-11-30';

/** Shown only: police, fire, ambulance. */
function emergency(number: string, operator: string, source: string): Helpline {
  return { operator, source, checked, number, dial: 'short', alternative: null, dialable: false };
}

/** A number that exists inside its country only; `alternative` is its E.164 form, where the operator has one. */
function short(number: string, operator: string, source: string, alternative: string | null = null): Helpline {
  return { operator, source, checked, number, dial: 'short', alternative, dialable: true };
}

function e164(number: string, operator: string, source: string): Helpline {
  return { operator, source, checked, number, dial: 'e164', alternative: null, dialable: true };
}

function second(number: string, operator: string, source: string): Helpline {
  return { operator, source, checked: secondChecked, number, dial: 'e164', alternative: null, dialable: true };
}

const eu112 = (): Helpline => emergency('112', 'European emergency number', 'https://www.112.be/en');

/** Keyed by ISO 3166-1 alpha-2. */
export const HELPLINES: Readonly<Record<string, CountryHelplines>> = {
  US: {
    // 988 is routed for US senders only; the ten-digit number it grew out of still leads to it.
    crisis: short('988', '988 Suicide & Crisis Lifeline', 'https://988lifeline.org/', '+18002738255'),
    // Round the clock, for parents before and after birth; PSI's own line takes messages and calls back.
    second: second(
      '+18338526262',
      'National Maternal Mental Health Hotline',
      'https://mchb.hrsa.gov/national-maternal-mental-health-hotline',
    ),
    emergency: emergency('911', 'National 911 Program', 'https://www.911.gov/'),
    psi: e164('+18009444773', 'Postpartum Support International', 'https://postpartum.net/get-help/'),
  },
  CA: {
    crisis: short('988', '9-8-8: Suicide Crisis Helpline', 'https://988.ca/'),
    second: second('+18006686868', 'Kids Help Phone, for all ages', 'https://kidshelpphone.ca/'),
    emergency: emergency('911', '9-1-1', 'https://crtc.gc.ca/eng/phone/911/'),
  },
  GB: {
    crisis: short('116123', 'Samaritans', 'https://www.samaritans.org/how-we-can-help/contact-samaritan/'),
    // From five in the afternoon to midnight.
    second: second('+448005858585', 'Campaign Against Living Miserably', 'https://www.thecalmzone.net/get-support'),
    emergency: emergency('999', '999', 'https://www.gov.uk/guidance/999-and-112-the-uks-national-emergency-numbers'),
  },
  IE: {
    crisis: short('116123', 'Samaritans Ireland', 'https://www.samaritans.org/ireland/how-we-can-help/'),
    second: second('+3531800247247', 'Pieta', 'https://www.pieta.ie/'),
    emergency: emergency('112', '112 and 999', 'https://www.112.ie/'),
  },
  AU: {
    crisis: short('131114', 'Lifeline Australia', 'https://www.lifeline.org.au/', '+61131114'),
    second: second('+611300659467', 'Suicide Call Back Service', 'https://www.suicidecallbackservice.org.au/'),
    emergency: emergency('000', 'Triple Zero', 'https://www.triplezero.gov.au/'),
  },
  NZ: {
    crisis: short('1737', '1737, need to talk?', 'https://1737.org.nz/'),
    second: second('+64800543354', 'Lifeline Aotearoa', 'https://www.lifeline.org.nz/'),
    emergency: emergency('111', '111', 'https://www.police.govt.nz/contact-us/calling-emergency-111'),
  },
  IN: {
    crisis: short('14416', 'Tele MANAS', 'https://telemanas.mohfw.gov.in/'),
    second: second('+919999666555', 'Vandrevala Foundation', 'https://www.vandrevalafoundation.com/'),
    emergency: emergency('112', 'Emergency Response Support System', 'https://112.gov.in/'),
  },
  ES: {
    crisis: short('024', 'Línea 024, Ministerio de Sanidad', 'https://www.sanidad.gob.es/linea024/home.htm'),
    second: second('+34717003717', 'Teléfono de la Esperanza', 'https://telefonodelaesperanza.org/'),
    emergency: eu112(),
  },
  FR: {
    crisis: short('3114', '3114, numéro national de prévention du suicide', 'https://3114.fr/'),
    second: second('+33972394050', 'SOS Amitié', 'https://www.sos-amitie.com/'),
    emergency: eu112(),
  },
  MX: {
    crisis: e164('+528009112000', 'Línea de la Vida', 'https://www.gob.mx/salud/conasama'),
    second: second('+525552598121', 'SAPTEL', 'https://www.saptel.org.mx/'),
    emergency: emergency('911', '9-1-1', 'https://www.gob.mx/911'),
  },
};

/** Where we know no helpline: a directory to be shown, and the emergency number that every mobile phone knows. */
export const UNKNOWN_COUNTRY: CountryHelplines = {
  crisis: {
    operator: 'Find A Helpline (directory of verified helplines)',
    source: 'https://findahelpline.com/',
    checked,
    number: null,
    dial: 'short',
    alternative: null,
    dialable: false,
  },
  emergency: emergency('112', 'Emergency number on every GSM phone', 'https://www.gsma.com/'),
};
