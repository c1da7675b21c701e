/** What all clients of AWS share: timeouts of our own, and which of its errors mean "not now". */

// The SDK's own switch. On Node 20 it would print several lines of prose into logs that are one JSON object a line.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

/**
 * Options for the SDK's own HTTP handler: by default it waits for ever.
 * @param totalMs what the caller gives the whole operation; a hanging attempt leaves time for another one
 */
export function awsTimeouts(totalMs: number) {
  return {
    connectionTimeout: Math.max(50, Math.min(1_000, Math.floor(totalMs / 3))),
    requestTimeout: Math.max(100, Math.floor(totalMs / 2)),
    // Without it the SDK only prints a warning when the time is over.
    throwOnRequestTimeout: true,
  };
}

/** "Too many" in the words of several services; AWS answers them with 400. */
const THROTTLED = /^(?:Throttling|ThrottlingException|TooManyRequestsException|RequestLimitExceeded|SlowDown)$/;

/** Whether asking again later helps: no answer at all, an answer that blames AWS, or "too many". */
export function isAwsUnavailable(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const name: unknown = Reflect.get(error, 'name');
  if (typeof name === 'string' && THROTTLED.test(name)) return true;
  const status = awsAnswer(error).status;
  if (status === null) return name !== 'TypeError';
  return status === 429 || status >= 500;
}

/**
 * What may be told about an error of AWS: its name, status and request id. Its text names accounts, roles and keys.
 * @returns status null when there was no answer
 */
export function awsAnswer(error: unknown): { class: string; status: number | null; requestId: string | null } {
  if (typeof error !== 'object' || error === null) return { class: 'Error', status: null, requestId: null };
  const name: unknown = Reflect.get(error, 'name');
  const metadata: unknown = Reflect.get(error, '$metadata');
  const of = (field: string): unknown =>
    typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, field) : undefined;
  const [status, requestId] = [of('httpStatusCode'), of('requestId')];
  return {
    class: typeof name === 'string' ? name : 'Error',
    status: typeof status === 'number' ? status : null,
    requestId: typeof requestId === 'string' ? requestId : null,
  };
}
