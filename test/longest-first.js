const { default: Sequencer } = require('@jest/test-sequencer');

/**
 * The kill test first: it takes longer than any other suite, and begun last it would run on alone. (Jest knows
 * how long suites take only where it has run before.)
 */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const isKillTest = ({ path }) => /[\\/]test[\\/]chaos[\\/]/.test(path);
    const sorted = super.sort(tests);
    return [...sorted.filter(isKillTest), ...sorted.filter((test) => !isKillTest(test))];
  }
};
