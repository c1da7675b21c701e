import { isDeeperThan } from '../../../api/json-depth';

const nested = (depth: number) => JSON.parse('{"a":'.repeat(depth) + '1' + '}'.repeat(depth)) as unknown;

it.each([
  [1, false],
  [3, false],
  [4, true],
  [8_000, true],
])('JSON with %i objects in each other is deeper than three: %s', (depth, isDeep) => {
  expect(isDeeperThan(3, nested(depth))).toBe(isDeep);
});

it.each([undefined, null, 'x', {}, [], { a: [{ b: 'x' }] }])('%j is not', (value) => {
  expect(isDeeperThan(3, value)).toBe(false);
});
