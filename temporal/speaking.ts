import {
  isGrpcServiceError,
  NamespaceNotFoundError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { KindlineClient } from './connection';
import { ProcessIsOver, QuestionRefused, TemporalNotInTime, TemporalNotPrepared } from './errors';

/** Gives a message to a running workflow and translates the ways in which it can fail. */
export async function spoken<T>(client: KindlineClient, withinMs: number, run: () => Promise<T>): Promise<T> {
  const until = Date.now() + withinMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await inTime(client, Math.max(1, until - Date.now()), run);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) throw new ProcessIsOver();
      // A workflow that ended while the update waited also says "failed"; there is nobody left to ask either way.
      if (error instanceof WorkflowUpdateFailedError) throw new QuestionRefused(typeOf(error.cause));
      if (!isNotReady(error)) throw error;
      if (attempt >= MOST_ATTEMPTS) throw new TemporalNotInTime();
    }
  }
}

function typeOf(cause: unknown): string | null {
  return cause instanceof ApplicationFailure ? (cause.type ?? null) : null;
}

const MOST_ATTEMPTS = 3;

/** gRPC: failed precondition. */
const NOT_READY: readonly unknown[] = [9];

/** It was about to end, or its step was lost: it takes that step anew, and has heard nothing of what was said in it. */
function isNotReady(error: unknown): boolean {
  if (isGrpcServiceError(error)) return NOT_READY.includes(error.code);
  return error instanceof Error && error.cause !== undefined && isNotReady(error.cause);
}

/** Without a deadline the client waits for ever when no worker runs. */
export async function inTime<T>(client: KindlineClient, withinMs: number, run: () => Promise<T>): Promise<T> {
  try {
    return await client.withDeadline(Date.now() + withinMs, run);
  } catch (error) {
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isUnreachable(error)) {
      throw new TemporalNotInTime();
    }
    if (isNotPrepared(error)) throw new TemporalNotPrepared();
    throw error;
  }
}

/**
 * Starts what may be started once under its id, also when it is asked for again.
 * @returns `over` when it has been before and has ended
 * @throws as {@link inTime}
 */
export async function startedOnce(
  client: KindlineClient,
  withinMs: number,
  start: () => Promise<unknown>,
): Promise<'running' | 'over'> {
  try {
    await inTime(client, withinMs, start);
    return 'running';
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'over';
    throw error;
  }
}

/** Whether Temporal will say so every time: what was asked does not fit it. */
export function isRefusal(error: unknown): boolean {
  if (isGrpcServiceError(error)) return WRONG_ARGUMENT.includes(error.code);
  return error instanceof Error && error.cause !== undefined && isRefusal(error.cause);
}

/** Workers make the namespace and register our search attributes when they start; until then nobody can be rung. */
function isNotPrepared(error: unknown): boolean {
  if (error instanceof NamespaceNotFoundError) return true;
  if (isGrpcServiceError(error)) return WRONG_ARGUMENT.includes(error.code) && /search attribute/i.test(error.details);
  return error instanceof Error && error.cause !== undefined && isNotPrepared(error.cause);
}

/** gRPC: invalid argument. */
const WRONG_ARGUMENT: readonly unknown[] = [3];

/** gRPC: cancelled, deadline exceeded, resource exhausted, unavailable. */
const NOT_IN_TIME: readonly unknown[] = [1, 4, 8, 14];

/** The client wraps what gRPC says, sometimes twice. */
function isUnreachable(error: unknown): boolean {
  if (isGrpcServiceError(error)) return NOT_IN_TIME.includes(error.code);
  return error instanceof Error && error.cause !== undefined && isUnreachable(error.cause);
}
