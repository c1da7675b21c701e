import { TestEnvironment } from 'jest-environment-node';

/**
 * Lets V8 count the lines that run outside of the tests' own process: in the workflow sandboxes, which are threads and
 * take what the real `process.env` says, and in child processes that a test hands its environment to.
 *
 * Set here and not before jest starts: it would count in the tests' own process too, where jest does.
 */
export default class ChildCoverage extends TestEnvironment {
  constructor(...args: ConstructorParameters<typeof TestEnvironment>) {
    process.env['NODE_V8_COVERAGE'] = process.env['KINDLINE_TEST_COVERAGE_DIR'];
    super(...args);
  }
}
