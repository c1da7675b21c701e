/**
 * Reads what is named, in the order of the names, several at once: the next ones are on their way while one is used.
 *
 * @param atOnce how many at most
 */
export async function* readAhead<T>(
  names: AsyncIterable<string>,
  read: (name: string) => Promise<T>,
  atOnce: number,
): AsyncGenerator<T> {
  const underWay: Promise<T>[] = [];
  for await (const name of names) {
    const reading = read(name);
    // It is awaited in its turn. Before that, or when nobody asks for more, its failure must not end the process.
    reading.catch(() => undefined);
    underWay.push(reading);
    if (underWay.length < atOnce) continue;
    const first = underWay.shift();
    if (first !== undefined) yield await first;
  }
  for (const reading of underWay) yield await reading;
}
