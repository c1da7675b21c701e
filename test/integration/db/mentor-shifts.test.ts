import { expandShifts, mentorsToExpand } from '../../../db/mentor-shifts';
import { createException } from '../../../db/mentor-exceptions';
import { deleteMentor } from '../../../db/mentors';
import { inTransaction } from '../../../db/pool';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { mentorWith } from './people';

const DAY_MS = 86_400_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const shiftsOf = async (mentorId: string) =>
  (
    await database.owner.query(
      'SELECT lower(during) AS from, upper(during) AS until FROM mentor_shifts WHERE mentor_id = $1 ORDER BY during',
      [mentorId],
    )
  ).rows;
const expand = (mentorId: string, now: Date) => inTransaction(database.app, (tx) => expandShifts(tx, mentorId, now));

test('shifts reach two weeks ahead, and go on with every day that passes', async () => {
  const windows = [{ weekday: 1, starts: '09:00', ends: '17:00' }];
  const { mentorId } = await mentorWith(database.app, { zone: 'UTC', windows });
  // A Tuesday: of two weeks two Mondays are left.
  const tuesday = new Date('2030-01-01T12:00:00Z');
  await expand(mentorId, tuesday);
  const monday = (day: string) => ({ from: new Date(`${day}T09:00Z`), until: new Date(`${day}T17:00Z`) });
  expect(await shiftsOf(mentorId)).toEqual([monday('2030-01-07'), monday('2030-01-14')]);
  await expand(mentorId, new Date(tuesday.getTime() + 7 * DAY_MS));
  expect(await shiftsOf(mentorId)).toEqual([monday('2030-01-14'), monday('2030-01-21')]);
});

test('whoever has a day less than two weeks is due, those that wait longest first; nobody who is gone', async () => {
  await database.owner.query('UPDATE mentors SET deleted_at = now() WHERE deleted_at IS NULL');
  const mentors = [];
  for (let made = 0; made < 4; made += 1) mentors.push((await mentorWith(database.app)).mentorId);
  const [never, old, fresh, gone] = mentors as [string, string, string, string];
  expect(await mentorsToExpand(database.app, 10)).toEqual([]);
  const set = (mentorId: string, until: Date | null) =>
    database.owner.query('UPDATE mentors SET shifts_until = $2 WHERE mentor_id = $1', [mentorId, until]);
  await set(never, null);
  await set(old, new Date(Date.now() + 12 * DAY_MS));
  await set(gone, null);
  await deleteMentor(database.app, gone, 'system');
  expect(await shiftsOf(gone)).toEqual([]);
  expect(await mentorsToExpand(database.app, 10)).toEqual([never, old]);
  for (const mentorId of [never, old]) await expand(mentorId, new Date());
  expect(await mentorsToExpand(database.app, 10)).toEqual([]);
  expect(await shiftsOf(fresh)).toHaveLength(1);
});

test('two who change the hours of one mentor at once leave the shifts of both changes', async () => {
  const { mentorId } = await mentorWith(database.app, { zone: 'UTC', windows: [] });
  const at = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 16);
  await Promise.all(
    [1, 3, 5, 7, 9].map((day) =>
      inTransaction(database.app, (tx) =>
        createException(tx, mentorId, { kind: 'shift', starts: at(day), ends: at(day + 1), zone: null }, 'system'),
      ),
    ),
  );
  expect(await shiftsOf(mentorId)).toHaveLength(5);
});

test('days away that are long over are forgotten', async () => {
  const { mentorId } = await mentorWith(database.app);
  const span = (day: string) => ({ kind: 'away', starts: `${day}T00:00`, ends: `${day}T12:00`, zone: null }) as const;
  await createException(database.app, mentorId, span('2030-01-01'), 'system');
  await createException(database.app, mentorId, span('2030-03-01'), 'system');
  await expand(mentorId, new Date('2030-05-01T00:00Z'));
  const { rows } = await database.owner.query('SELECT starts::text FROM mentor_exceptions WHERE mentor_id = $1', [
    mentorId,
  ]);
  expect(rows).toEqual([{ starts: '2030-03-01 00:00:00' }]);
});
