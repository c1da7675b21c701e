import { costs } from './activity-options';

/**
 * What was spent: new items by our own table, the provider's prices where it has them by now, and whether the budget
 * wants a word. What one run leaves the next one takes up.
 *
 * @returns how many items were noted and priced, and how much of the budget is used, in percent; null without one
 */
export async function costSweep(): Promise<{ noted: number; priced: number; percent: number | null }> {
  const noted = await costs.noteCosts();
  const priced = await costs.readPrices();
  return { noted, priced, percent: await costs.watchBudget() };
}
