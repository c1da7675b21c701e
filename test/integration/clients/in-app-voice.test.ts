import { compile } from './published-client';

// It runs against the service in calls/app-call.test.ts.
it('the code of the guide to calls from the app compiles under the strictest settings', () => {
  expect(() => compile('in-app-voice.md')).not.toThrow();
});
