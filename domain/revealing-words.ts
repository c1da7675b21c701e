/**
 * Words that tell a listener what a call is about. Stems, so that every form of a word is found; every sentence is held
 * against the stems of all languages, because a partner may understand any of them. To be made longer, never shorter.
 */
const STEMS = `
  mentor buddy buddies student parent mother baby birth postpartum pregnan depress anxi mental health wellbeing
  well-being care therap counsel psych doctor help support crisis suicid emergency hotline lifeline danger
  abuse violen shelter safe police alert survey listen volunteer clinic hospital kindline
  tutor estudiante madre padre bebé parto embaraz depresi ansiedad salud bienestar terap consej psic médic ayuda apoyo
  emergencia peligro abuso maltrato refugio segur policía alerta encuesta escuchar voluntari clínica
  étudiant mère bébé grossesse enceinte accouche naissance dépress anxié santé bien-être thérap conseil médecin aide
  soutien soutenir crise urgence détresse sécurité abus alerte sondage écoute bénévol clinique hôpital
  मेंटर मार्गदर्शक छात्र विद्यार्थी माँओं माता पिता शिशु बच्च प्रसव गर्भ अवसाद चिंता मानसिक स्वास्थ्य देखभाल थेरे परामर्श सलाह
  मनोवै मनोचि डॉक्टर चिकित्स मदद सहायता सहारा संकट आत्महत्या आपात हेल्पलाइन ख़तर खतर हिंसा दुर्व्यवहार शोषण आश्रय
  सुरक्ष पुलिस अलर्ट सर्वे स्वयंसे अस्पताल क्लिनिक
`
  .trim()
  .split(/\s+/)
  .concat('talk to a', 'línea de', 'माँ ');

const folded = (text: string): string => text.normalize('NFC').toLowerCase();
const FOLDED = STEMS.map(folded);

/** The first stem that a text contains, or null: what may be heard by anybody contains none. */
export function revealingWord(text: string): string | null {
  const heard = folded(text);
  return FOLDED.find((stem) => heard.includes(stem)) ?? null;
}
