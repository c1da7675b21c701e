import { z } from 'zod';
import type { Operation } from './openapi-operations';

const PAGE = { description: 'A page for people.', content: { 'text/html': null } } as const;
const GONE = { ...PAGE, description: 'There is no such link, or what belonged to it was erased.' } as const;

/** What `step=export` gives. Times are ISO 8601; what is not held any more, or opens by the other link, is null. */
const buddyExport = z
  .object({
    format: z.literal('kindline/buddy-export/1'),
    madeAt: z.iso.datetime(),
    proves: z.enum(['email', 'phone']).meta({ description: 'What the link was sent to.' }),
    manifest: z
      .record(
        z.string(),
        z.object({
          sha256: z.string().regex(/^[0-9a-f]{64}$/),
          opensByOtherLink: z.array(z.string()).meta({
            description:
              'Fields of the part, or channels of messages, that only a link proving the other of mailbox and phone opens.',
          }),
        }),
      )
      .meta({ description: 'SHA-256 of each part, as JSON without blanks, and what of it is not in this file.' }),
    parts: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'BuddyExport' });

/** What buddies may do for themselves. */
export const BUDDY_RIGHTS_OPERATIONS = {
  'GET /api/buddy/rights/:token': {
    id: 'buddyRightsPage',
    tag: 'Pages',
    summary: 'What a buddy may do: see, take along, withdraw, block, erase',
    description:
      'Any link that was ever sent to the buddy, also one that ran out. Opening it changes and shows nothing.',
    answers: { 200: PAGE, 404: GONE },
  },
  'POST /api/buddy/rights/:token': {
    id: 'buddyRights',
    tag: 'Pages',
    summary: 'Does what the form says: `step` is see, export, withdraw, block, block-everybody or erase',
    description: 'May be repeated. Withdrawing, blocking and erasing end what is running for this buddy at once.',
    answers: {
      200: {
        description: 'A page for people; of `export` the file.',
        content: { 'text/html': null, 'application/json': buddyExport },
      },
      404: GONE,
      409: { ...PAGE, description: 'Withdrawn, but not erased: a legal hold stands.' },
    },
  },
} as const satisfies Partial<Record<string, Operation>>;
