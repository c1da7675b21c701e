import { createLogger } from '../../../vault/logger';
import { endOnStrayErrors } from '../../../vault/stray-errors';

test('an error that reached nobody ends the process with a reduced line, and nothing of its text', () => {
  const lines: string[] = [];
  const logger = createLogger({ name: 'api', level: 'info', destination: { write: (line) => void lines.push(line) } });
  const listening = jest.spyOn(process, 'on').mockReturnValue(process);
  endOnStrayErrors(logger);
  const listen = listening.mock.calls.find(([event]) => String(event) === 'uncaughtException')?.[1];
  listening.mockRestore();
  const ending = jest.spyOn(process, 'exit').mockImplementation();
  listen?.(Object.assign(new TypeError('cannot call +14155550142'), { code: 'ODD', body: '+14155550142' }));
  expect(ending).toHaveBeenCalledWith(1);
  ending.mockRestore();
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'fatal', error: { name: 'TypeError', code: 'ODD' } },
  ]);
  expect(lines.join('')).not.toContain('5550142');
});
