/** Millionths of a currency (ISO 4217). */
export interface Price {
  readonly micro: number;
  readonly currency: string;
}

/** What a resource of Twilio's costs, from its `price` and `price_unit`; null while it does not say. */
export function readPrice(price: string | null | undefined, unit: string | null | undefined): Price | null {
  const amount = Number.parseFloat(price ?? '');
  // Twilio shows what it takes from the balance, so as a negative number.
  return Number.isNaN(amount)
    ? null
    : { micro: Math.round(Math.abs(amount) * 1_000_000), currency: (unit || 'USD').toUpperCase() };
}
