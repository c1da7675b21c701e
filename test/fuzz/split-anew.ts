type Fields = Readonly<Record<string, string>>;

/**
 * Every form that has the same signature as this one because the same bytes were signed: between names and values
 * there is no mark, so one border may be moved, or be gone together with those behind it.
 */
export function splitAnew(fields: Fields): Fields[] {
  const names = Object.keys(fields).toSorted();
  const others = names.flatMap((name, n) => {
    const before = pick(fields, names.slice(0, n));
    const behind = names.slice(n + 1);
    const whole = signedText(pick(fields, [name]));
    const moved = Array.from(whole, (_letter, at) => ({
      ...before,
      [whole.slice(0, at + 1)]: whole.slice(at + 1),
      ...pick(fields, behind),
    }));
    const swallowed = behind.map((_next, last) => ({
      ...before,
      [name]: fields[name] + signedText(pick(fields, behind.slice(0, last + 1))),
      ...pick(fields, behind.slice(last + 1)),
    }));
    return [...moved, ...swallowed];
  });
  const text = signedText(fields);
  // In another order the names would be signed in another order too.
  return others.filter((other) => signedText(other) === text && JSON.stringify(other) !== JSON.stringify(fields));
}

function signedText(fields: Fields): string {
  return Object.keys(fields)
    .toSorted()
    .map((name) => `${name}${fields[name]}`)
    .join('');
}

function pick(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, fields[name] ?? '']));
}
