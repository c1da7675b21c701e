const PASSED_ON =
  /^(PATH|HOME|TMPDIR|LANG|TERM|CI|FORCE_COLOR|NO_COLOR|JAVA_HOME|CHROMIUM_PATH|XDG_CACHE_HOME|KINDLINE_CACHE_DIR|PIP_[A-Z_]+|KINDLINE_(TEST|RECORD|LOOK|UPDATE)_.*)$/;

/** What tests may see of our environment: nobody's real phone rings because a shell had credentials. */
export function testEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => PASSED_ON.test(name)));
}
