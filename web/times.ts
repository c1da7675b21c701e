/** Times as people read them, always in a zone that is named on the page. */
import { escapeHtml } from './layout';

/** `Mon 30 Nov, 09:14`, as an element that also says it to programs. */
export function timeIn(zone: string, at: Date, language: 'en' | 'es' = 'en'): string {
  return element(at, `${dayIn(zone, at, language)}, ${clockIn(zone, at)}`);
}

/** `Mon 30 Nov`, `lun 30 nov` */
export function dayIn(zone: string, at: Date, language: 'en' | 'es' = 'en'): string {
  const day = { weekday: 'short', day: 'numeric', month: 'short' } as const;
  const parts = formatter(zone, day, language).formatToParts(at);
  return ['weekday', 'day', 'month'].map((type) => parts.find((part) => part.type === type)?.value ?? '').join(' ');
}

/** `09:14` */
export function clockIn(zone: string, at: Date): string {
  return formatter(zone, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at);
}

/**
 * From when to when in words: `Mon 30 Nov, 09:00 to 17:00`; an end on another day says its day, unless it is the first
 * moment of the next one.
 */
export function spanIn(zone: string, { starts, ends }: { readonly starts: Date; readonly ends: Date }): string {
  const lastDay = dayIn(zone, new Date(ends.getTime() - 1));
  const isOneDay = dayIn(zone, starts) === lastDay;
  const until = clockIn(zone, ends) === '00:00' ? '24:00' : clockIn(zone, ends);
  return `${dayIn(zone, starts)}, ${clockIn(zone, starts)} to ${isOneDay ? '' : `${lastDay}, `}${until}`;
}

/** `23 min`, `45 s` */
export function lengthInWords(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

function element(at: Date, text: string): string {
  return `<time datetime="${at.toISOString()}">${escapeHtml(text)}</time>`;
}

function formatter(zone: string, options: Intl.DateTimeFormatOptions, language = 'en'): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(language === 'es' ? 'es-ES' : 'en-GB', { ...options, timeZone: zone });
}
