/** What a text calls the things somebody was asked about; neutral, because anybody may read it on their phone. */
const NAMES: Readonly<Record<string, Readonly<Record<'survey' | 'check-in', string>>>> = {
  en: { survey: 'the survey', 'check-in': 'how it went' },
  es: { survey: 'la encuesta', 'check-in': 'la pregunta personal' },
};

/** In that language, else in English. */
export function questionName(kind: 'survey' | 'check-in', language: string): string {
  return (NAMES[language] ?? NAMES['en'])?.[kind] ?? kind;
}
