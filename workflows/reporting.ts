import { getExternalWorkflowHandle } from '@temporalio/workflow';

/**
 * Tells whoever began this workflow how it goes. They may be over meanwhile, or gone: that is no trouble of ours.
 * @param workflowId null or undefined: nobody wants to hear
 */
export async function reportTo(workflowId: string | null | undefined, signal: string, news: object): Promise<void> {
  if (workflowId === null || workflowId === undefined) return;
  await getExternalWorkflowHandle(workflowId)
    .signal(signal, news)
    .catch(() => undefined);
}
