import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CommandError } from './command-error';
import { downloadFromTemporal, firstOf, runSlowly } from './download';
import { cacheDir, progress } from './project';
import { archiveOf, ensureArchive } from './test-server-archive';

const VERSION = '1.38.0';
const MAIN_CLASS = 'io.temporal.testserver.TestServer';

/**
 * The path of Temporal's time-skipping test server, for `TestWorkflowEnvironment.createTimeSkipping` as an existing
 * path: named by `KINDLINE_TEST_SERVER`, cached, downloaded, or from Maven with Java.
 *
 * @throws CommandError naming all ways when none works
 */
export async function testServerBinary(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const named = env.KINDLINE_TEST_SERVER ?? '';
  const downloaded = join(cacheDir(env), 'bin', 'temporal-test-server');
  const jars = join(cacheDir(env), `test-server-${VERSION}`);
  const wrapper = join(jars, 'temporal-test-server');
  try {
    return await firstOf('Test server', [
      {
        does: 'the path in KINDLINE_TEST_SERVER',
        find: async () => (named !== '' && existsSync(named) ? named : null),
      },
      { does: `a copy at ${downloaded}`, find: async () => (existsSync(downloaded) ? downloaded : null) },
      {
        does: `a copy at ${wrapper}`,
        find: async () => (existsSync(wrapper) ? await quick(jars, wrapper, env) : null),
      },
      { does: 'a download from temporal.download', find: () => download(downloaded) },
      { does: `Maven, io.temporal:temporal-test-server:${VERSION}`, find: () => fromMaven(jars, wrapper, env) },
    ]);
  } catch (cause) {
    throw new CommandError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function download(target: string): Promise<string> {
  progress('Test server: downloading it from temporal.download …');
  return downloadFromTemporal('temporal-test-server', target);
}

async function fromMaven(jars: string, wrapper: string, env: NodeJS.ProcessEnv): Promise<string> {
  for (const [program, flag] of [
    ['java', '-version'],
    ['mvn', '-v'],
  ] as const) {
    if (spawnSync(program, [flag], { env }).status !== 0) throw new Error(`there is no ${program} on the PATH`);
  }
  progress('Test server: fetching it and its libraries with Maven …');
  await mkdir(dirname(jars), { recursive: true });
  const work = await mkdtemp(`${jars}.`);
  try {
    await writeFile(join(work, 'pom.xml'), POM);
    const args = ['-q', '-B', 'dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=lib'];
    await runSlowly('Fetching the test server', 'mvn', args, env, work);
    await writeScript(join(work, 'temporal-test-server'), jars);
    await rename(work, jars).catch(async (error: unknown) => {
      // Somebody else was faster: theirs serves as well.
      if (!existsSync(wrapper)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return await quick(jars, wrapper, env);
}

/** C1 only: the server lives for seconds, and the better compiler would only take the processor from the tests. */
const JAVA = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'] as const;

/** The wrapper, once the server's classes are kept ready for it. */
async function quick(jars: string, wrapper: string, env: NodeJS.ProcessEnv): Promise<string> {
  if (existsSync(archiveOf(jars))) return wrapper;
  await ensureArchive(jars, [...JAVA, '-cp', `${jars}/lib/*`, MAIN_CLASS], env);
  // One that was written before there were archives does not name it.
  await writeScript(wrapper, jars);
  return wrapper;
}

async function writeScript(target: string, jars: string): Promise<void> {
  const shared = `-Xshare:auto -XX:SharedArchiveFile='${archiveOf(jars)}'`;
  const java = `java ${JAVA.join(' ')} ${shared} -cp '${jars}/lib/*' ${MAIN_CLASS}`;
  const fresh = `${target}.${process.pid}`;
  await writeFile(fresh, `#!/bin/sh\nexec ${java} "$@"\n`);
  await chmod(fresh, 0o755);
  await rename(fresh, target);
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>kindline</groupId>
  <artifactId>test-server</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId>
      <artifactId>temporal-test-server</artifactId>
      <version>${VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;
