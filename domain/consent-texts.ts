/**
 * What a person agrees to before a call is placed. A version never changes once it was shown: its words are what
 * was agreed to, and the call row and the audit entry name it. A change is a new version.
 */

export interface ConsentText {
  readonly job: 'mentor-call' | 'app-call';
  readonly version: string;
  readonly language: string;
  readonly text: string;
  /** It says that the conversation may be recorded. */
  readonly allowsRecording: boolean;
}

const texts: readonly ConsentText[] = [
  {
    job: 'mentor-call',
    version: '2026-11',
    language: 'en',
    allowsRecording: false,
    text: [
      'We will call the number you give us, now, and connect you with a mentor.',
      'You and the mentor see only our number, never each other’s.',
      'A number you give for this call only is destroyed when the call is over, within 24 hours at most; afterwards we also delete the record of the call at our telephone company, Twilio.',
      'The call is not recorded. Mentors are not an emergency service.',
      'You can cancel at any time.',
    ].join(' '),
  },
  {
    job: 'mentor-call',
    version: '2026-11',
    language: 'es',
    allowsRecording: false,
    text: [
      'Llamaremos ahora al número que nos dé y le conectaremos con un mentor.',
      'Usted y el mentor ven solamente nuestro número, nunca el del otro.',
      'Un número que dé solo para esta llamada se destruye cuando la llamada termina, a más tardar en 24 horas; después borramos también el registro de la llamada en nuestra compañía telefónica, Twilio.',
      'La llamada no se graba. Los mentores no son un servicio de emergencia.',
      'Puede cancelar en cualquier momento.',
    ].join(' '),
  },
  {
    job: 'mentor-call',
    version: '2026-11-recording',
    language: 'en',
    allowsRecording: true,
    text: [
      'We will call the number you give us, now, and connect you with a mentor.',
      'You and the mentor see only our number, never each other’s.',
      'A number you give for this call only is destroyed when the call is over, within 24 hours at most; afterwards we also delete the record of the call at our telephone company, Twilio.',
      'If the mentor agrees too, your conversation is recorded; without you both it is not.',
      'A recording stays at Twilio and is deleted there after 30 days, or earlier when you have us delete your data. Until then only administrators of this organisation can listen to it, and each time is noted.',
      'Mentors are not an emergency service.',
      'You can cancel at any time.',
    ].join(' '),
  },
  {
    job: 'mentor-call',
    version: '2026-11-recording',
    language: 'es',
    allowsRecording: true,
    text: [
      'Llamaremos ahora al número que nos dé y le conectaremos con un mentor.',
      'Usted y el mentor ven solamente nuestro número, nunca el del otro.',
      'Un número que dé solo para esta llamada se destruye cuando la llamada termina, a más tardar en 24 horas; después borramos también el registro de la llamada en nuestra compañía telefónica, Twilio.',
      'Si el mentor también acepta, la conversación se graba; sin el acuerdo de ambos no se graba.',
      'La grabación queda en Twilio y se borra allí después de 30 días, o antes si nos pide borrar sus datos. Hasta entonces solo pueden escucharla los administradores de esta organización, y cada vez queda anotada.',
      'Los mentores no son un servicio de emergencia.',
      'Puede cancelar en cualquier momento.',
    ].join(' '),
  },
  {
    job: 'mentor-call',
    version: '2026-11',
    language: 'fr',
    allowsRecording: false,
    text: [
      'Nous allons appeler maintenant le numéro que vous nous donnez et vous mettre en relation avec un mentor.',
      'Vous et le mentor ne voyez que notre numéro, jamais celui de l’autre.',
      'Un numéro donné pour cet appel seulement est détruit quand l’appel est terminé, au plus tard dans les 24 heures ; ensuite nous effaçons aussi la trace de l’appel chez notre opérateur téléphonique, Twilio.',
      'L’appel n’est pas enregistré. Les mentors ne sont pas un service d’urgence.',
      'Vous pouvez annuler à tout moment.',
    ].join(' '),
  },
  {
    job: 'mentor-call',
    version: '2026-11',
    language: 'hi',
    allowsRecording: false,
    text: [
      'आप जो नंबर देंगे, उस पर हम अभी कॉल करेंगे और आपको एक मेंटर से जोड़ेंगे।',
      'आपको और मेंटर को केवल हमारा नंबर दिखता है, एक-दूसरे का कभी नहीं।',
      'केवल इस कॉल के लिए दिया गया नंबर कॉल समाप्त होने पर, अधिक से अधिक 24 घंटे में, मिटा दिया जाता है; उसके बाद हम अपनी टेलीफ़ोन कंपनी Twilio के पास से भी कॉल का रिकॉर्ड हटा देते हैं।',
      'कॉल रिकॉर्ड नहीं की जाती। मेंटर आपातकालीन सेवा नहीं हैं।',
      'आप किसी भी समय रद्द कर सकते हैं।',
    ].join(' '),
  },
  {
    job: 'mentor-call',
    version: '2026-11-recording',
    language: 'fr',
    allowsRecording: true,
    text: [
      'Nous allons appeler maintenant le numéro que vous nous donnez et vous mettre en relation avec un mentor.',
      'Vous et le mentor ne voyez que notre numéro, jamais celui de l’autre.',
      'Un numéro donné pour cet appel seulement est détruit quand l’appel est terminé, au plus tard dans les 24 heures ; ensuite nous effaçons aussi la trace de l’appel chez notre opérateur téléphonique, Twilio.',
      'Si le mentor l’accepte aussi, votre conversation est enregistrée ; sans l’accord de vous deux, elle ne l’est pas.',
      'Un enregistrement reste chez Twilio et y est effacé après 30 jours, ou plus tôt si vous nous demandez d’effacer vos données. D’ici là, seuls les administrateurs de cette organisation peuvent l’écouter, et chaque écoute est notée.',
      'Les mentors ne sont pas un service d’urgence.',
      'Vous pouvez annuler à tout moment.',
    ].join(' '),
  },
  {
    job: 'mentor-call',
    version: '2026-11-recording',
    language: 'hi',
    allowsRecording: true,
    text: [
      'आप जो नंबर देंगे, उस पर हम अभी कॉल करेंगे और आपको एक मेंटर से जोड़ेंगे।',
      'आपको और मेंटर को केवल हमारा नंबर दिखता है, एक-दूसरे का कभी नहीं।',
      'केवल इस कॉल के लिए दिया गया नंबर कॉल समाप्त होने पर, अधिक से अधिक 24 घंटे में, मिटा दिया जाता है; उसके बाद हम अपनी टेलीफ़ोन कंपनी Twilio के पास से भी कॉल का रिकॉर्ड हटा देते हैं।',
      'अगर मेंटर भी सहमत हों, तो आपकी बातचीत रिकॉर्ड की जाती है; आप दोनों की सहमति के बिना नहीं।',
      'रिकॉर्डिंग Twilio के पास रहती है और वहाँ 30 दिन बाद, या आपके कहने पर उससे पहले, मिटा दी जाती है। तब तक केवल इस संगठन के प्रशासक उसे सुन सकते हैं, और हर बार यह दर्ज होता है।',
      'मेंटर आपातकालीन सेवा नहीं हैं।',
      'आप किसी भी समय रद्द कर सकते हैं।',
    ].join(' '),
  },
];

/** The texts to show now, one per language, for `GET /consent-texts/mentor-call`. */
export function currentConsentTexts(forRecording = false): readonly ConsentText[] {
  return texts.filter(({ allowsRecording }) => allowsRecording === forRecording);
}

/** The text that a consent names, or null when there is no such version in that language. */
export function findConsentText(version: string, language: string): ConsentText | null {
  return texts.find((text) => text.version === version && text.language === language) ?? null;
}
