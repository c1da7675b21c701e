/** A mail as the simulator's mailbox keeps it; see `types.ts` for the rules of these shapes. */
export interface MailView {
  readonly id: string;
  readonly receivedAt: string;
  /** Of the envelope: where bounces would go, and who really got it. */
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  /** As the mail itself says, names included. */
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  /** With its angle brackets; empty without one. */
  readonly messageId: string;
  readonly text: string | null;
  readonly html: string | null;
  /** All of them in order, names in lower case. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly attachments: readonly {
    readonly filename: string | null;
    readonly mimeType: string;
    readonly size: number;
  }[];
}
