import type { Tool } from './tool.js';
import { accessOfPerson, whoHasAccess } from './tools/access.js';
import { auditSearch } from './tools/audit.js';
import { drift } from './tools/drift.js';
import { explainPerson, findPeople } from './tools/people.js';
import { showOnePlan, todos, whatWaits } from './tools/plans.js';
import { proposeOffboard } from './tools/propose.js';
import { whatIsStuck } from './tools/stuck.js';

/** Every tool there is. docs/mcp.md lists the same ones; a test holds the two equal. */
export const tools: readonly Tool[] = [
  whoHasAccess,
  accessOfPerson,
  findPeople,
  explainPerson,
  whatIsStuck,
  whatWaits,
  showOnePlan,
  todos,
  drift,
  auditSearch,
  proposeOffboard,
];
