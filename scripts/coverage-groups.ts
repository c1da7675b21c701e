/** A part of the sources and how much of it must have run in the tests. */
export interface CoverageGroup {
  readonly name: string;
  /** Percent of lines. */
  readonly atLeast: number;
  /** Paths from the root of the project. */
  readonly files: RegExp;
}

/** What is promised, by group. A file may be in several; the first is everything that counts. */
export const COVERAGE_GROUPS: readonly CoverageGroup[] = [
  { name: 'all', atLeast: 80, files: /./ },
  {
    name: 'dispatches',
    atLeast: 90,
    files: /^(activities\/(place-call|reconcile|dispatch-\w+|dispatches)|db\/dispatch[\w-]*)\.ts$/,
  },
  {
    name: 'vault',
    atLeast: 90,
    files: /^(vault\/.+|db\/(vault-[\w-]+|subject-keys|subjects|service-keys|erasure[\w-]*))\.ts$/,
  },
  {
    name: 'webhooks',
    atLeast: 90,
    files:
      /^(api\/(twilio-(requests|signature|voice-webhooks)|call-status|inbound-calls|twiml-questions|webhook-[\w-]+)|db\/webhook-events|workers\/relay)\.ts$/,
  },
  {
    name: 'audit',
    atLeast: 90,
    files:
      /^(db\/audit[\w-]*|domain\/audit-[\w-]+|activities\/audit-seal|providers\/[\w-]*checkpoint[\w-]*|vault\/(chain-mac|checkpoint-signature)|workflows\/audit-seal)\.ts$/,
  },
  {
    name: 'authorisation',
    atLeast: 90,
    files: /^api\/(authorisation|authentication|accounts|routes|signing-keys)\.ts$/,
  },
];

/** What is left out of the count, by name, and why. */
export const NOT_COUNTED: readonly { readonly files: RegExp; readonly why: string }[] = [
  { files: /^scripts\/(test|test-\w+|coverage[\w-]*)\.ts$/, why: 'they run the tests and count the lines' },
  { files: /^scripts\/(chaos|fuzz|bench)\.ts$|^scripts\/bench\//, why: 'they measure or repeat what tests do' },
  { files: /^scripts\/(download|temporal-binary|test-server-binary)\.ts$/, why: 'they run once, on an empty cache' },
];
