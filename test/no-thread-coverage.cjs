/**
 * Required by services whose lines are counted. Their own thread is counted by now; threads that they start, the
 * workflow sandboxes, take this environment and are not: V8's inspector in a sandbox that is ended in the middle of
 * something has taken the whole worker with it. What workflows run is counted where the tests run them (`test/workflow`).
 */
delete process.env.NODE_V8_COVERAGE;
