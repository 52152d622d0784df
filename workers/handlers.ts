import type { JobName } from '#shared/queue/jobs.js';
import { executeAction } from './actions/execute.js';
import { planPerson } from './lifecycle/plan-person.js';
import { settlePerson } from './lifecycle/settle-person.js';
import type { Handler } from './process-job.js';

/** The list: job name -> handler. */
export const handlers: Record<JobName, Handler> = {
  'plan-person': planPerson,
  'settle-person': settlePerson,
  'execute-action': executeAction,
};
