/** As answers write a time; null where there is none. */
export function isoTime(at: Date | null): string | null {
  return at?.toISOString() ?? null;
}
