/**
 * Links that a message carries for its reader. What is passed around names the link; its token is made where the words
 * are written, and only there. No import from a package: this file is part of the workflow bundle.
 */

export const LINK_USES = ['buddy-invitation', 'buddy-check-in', 'wellbeing-alert', 'registered-contact'] as const;
export type LinkUse = (typeof LINK_USES)[number];

export interface MessageLink {
  readonly use: LinkUse;
  /** UUID of what it is about. */
  readonly id: string;
  /** A link made on request replaces the one before it: its version is higher. */
  readonly version: number;
}

/**
 * Where people of ours sign in, by the name of the template's variable that shows it: the same for everybody, and filled
 * in wherever a template names it. Staff are written to of wellbeing alerts alone.
 * @param base `PUBLIC_BASE_URL`
 */
export function pageAddresses(base: string): Readonly<Record<string, string>> {
  return { circleLink: `${base}/circle`, staffLink: `${base}/staff/alerts` };
}

/**
 * Where a link leads, by the name of the template's variable that shows it.
 * @param base `PUBLIC_BASE_URL`
 * @param token 64 characters that no URL escapes
 */
export function addressesOf(use: LinkUse, base: string, token: string): Readonly<Record<string, string>> {
  switch (use) {
    case 'buddy-invitation':
      return {
        acceptLink: `${base}/api/buddy/verify?token=${token}&action=accept`,
        declineLink: `${base}/api/buddy/verify?token=${token}&action=decline`,
        rightsLink: `${base}/api/buddy/rights/${token}`,
      };
    case 'buddy-check-in':
      return { link: `${base}/buddy/checkin/${token}` };
    case 'wellbeing-alert':
      return { link: `${base}/buddy/alert/${token}` };
    case 'registered-contact':
      return { link: `${base}/contact/${token}` };
  }
}
