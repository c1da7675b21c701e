/**
 * Aborts at the first Ctrl-C, SIGTERM or closed terminal. To be asked for before anything is started: without it a
 * signal ends this process alone, and the parts, each in a process group of its own, live on.
 *
 * Later signals change nothing: they must not cut the orderly end short.
 */
export function stopSignal(): AbortSignal {
  const asked = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => asked.abort());
  return asked.signal;
}
