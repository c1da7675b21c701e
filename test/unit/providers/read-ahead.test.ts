import { setTimeout as delay } from 'node:timers/promises';
import { readAhead } from '../../../providers/read-ahead';

async function* named(...names: string[]) {
  yield* names;
}

describe('reading ahead', () => {
  it('keeps the order of the names, and no more than so many under way', async () => {
    let [underWay, most] = [0, 0];
    const read = async (name: string) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await delay(name === 'a' ? 20 : 1);
      underWay -= 1;
      return name.toUpperCase();
    };
    const found: string[] = [];
    for await (const one of readAhead(named('a', 'b', 'c', 'd', 'e', 'f', 'g'), read, 3)) found.push(one);
    expect([found.join(''), most]).toEqual(['ABCDEFG', 3]);
  });

  it('fails where reading failed, not before what comes before it, also when later ones fail too', async () => {
    const read = async (name: string) => {
      if (name !== 'a') throw new Error(name);
      await delay(5);
      return name;
    };
    const found: string[] = [];
    const all = async () => {
      for await (const one of readAhead(named('a', 'b', 'c'), read, 5)) found.push(one);
    };
    await expect(all()).rejects.toThrow('b');
    expect(found).toEqual(['a']);
  });
});
