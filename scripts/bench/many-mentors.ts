import type { Pool } from 'pg';

/**
 * Enters mentors by the thousand, whose records open for nobody: for figures, and for tests of many at once. Each speaks
 * one of three languages, knows one of ten topics and has one place.
 *
 * @param owner a pool of the owner of the tables
 * @param onShift every how manyeth is on shift now; all have a shift tomorrow
 * @param behind so many have been entered before
 */
export async function manyMentors(owner: Pool, count: number, onShift: number, behind = 0): Promise<void> {
  // Of the form of a random one.
  const id = (kind: string) => `overlay(overlay(md5('${kind}' || n) PLACING '4' FROM 13) PLACING '8' FROM 17)::uuid`;
  const series = `generate_series(${Math.trunc(behind) + 1}, ${Math.trunc(behind + count)}) AS n`;
  const each = `FROM ${series}`;
  const statements = [
    `INSERT INTO subjects (subject_id) SELECT ${id('mentor-subject')} ${each}`,
    ...['name', 'phone'].map(
      (
        kind,
      ) => `INSERT INTO vault_records (record_id, subject_id, kind, format, key_version, wrapped_data_key, ciphertext, commitment)
                 SELECT ${id(`mentor-${kind}`)}, ${id('mentor-subject')}, '${kind}', 1, 1, '\\x00', '\\x00', '\\x00' ${each}`,
    ),
    `INSERT INTO mentors (mentor_id, subject_id, name_record_id, phone_record_id, country, specialties, languages, zone, shifts_until)
     SELECT ${id('mentor')}, ${id('mentor-subject')}, ${id('mentor-name')}, ${id('mentor-phone')},
            CASE WHEN n % 4 = 0 THEN 'CA' ELSE 'US' END, ARRAY['topic-' || n % 10], ARRAY[(ARRAY['en', 'es', 'fr'])[1 + n % 3]],
            'UTC', now() + interval '14 days' ${each}`,
    `INSERT INTO mentor_slots (mentor_id, n) SELECT ${id('mentor')}, 1 ${each}`,
    `INSERT INTO mentor_shifts (mentor_id, during)
     SELECT ${id('mentor')}, tstzrange(now() + d * interval '1 day' - interval '1 hour', now() + d * interval '1 day' + interval '8 hours')
       FROM ${series}, generate_series(0, 13) AS d
      WHERE d > 0 OR n % ${Math.trunc(onShift)} = 0`,
    'ANALYZE mentors, mentor_slots, mentor_shifts',
  ];
  for (const statement of statements) await owner.query(statement);
}
