import { type CallToolResult, ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { mayActAs } from '#shared/access/roles.js';
import { appendAudit } from '#shared/audit/append.js';
import { SendoffError } from '#shared/errors.js';
import { assertSmall, presentable } from './present.js';
import type { McpCaller, McpContext, Subject, Tool } from './tool.js';
import { tools } from './tools.js';

/** How a call ended, as the audit trail says it. */
interface Outcome {
  /** null: there is none of that name. What the caller called it is not kept: it could be anything. */
  tool: string | null;
  outcome: 'answered' | 'refused' | 'invalid' | 'failed';
  code?: string;
  subject?: Subject | null;
}

/**
 * Answers one call, whatever is asked and by whom, and leaves a record of it: nobody learns anything unrecorded.
 * @throws McpError for a tool that does not exist
 */
export async function callTool(
  context: McpContext,
  caller: McpCaller,
  { name, args }: { name: string; args: unknown },
): Promise<CallToolResult> {
  const tool = tools.find((one) => one.name === name);
  if (tool === undefined) {
    await record(context, caller, { tool: null, outcome: 'refused', code: 'TOOL_UNKNOWN' });
    throw new McpError(ErrorCode.InvalidParams, 'there is no such tool: tools/list names them');
  }
  if (!mayActAs(caller.role, tool.access)) {
    await record(context, caller, { tool: name, outcome: 'refused', code: 'ROLE_MISSING' });
    return failure(
      'ROLE_MISSING',
      `this takes the role ${tool.access}; yours is ${caller.role}`,
      'ask an administrator',
    );
  }
  const read = tool.input.safeParse(args ?? {});
  if (!read.success) {
    await record(context, caller, { tool: name, outcome: 'invalid', code: 'INVALID_REQUEST' });
    const wrong = read.error.issues.map(({ path, message }) => `${path.join('.') || 'arguments'}: ${message}`);
    return failure('INVALID_REQUEST', wrong.join('; '), 'the tool’s inputSchema says what it must look like');
  }
  return answered(context, caller, tool, read.data);
}

async function answered(
  context: McpContext,
  caller: McpCaller,
  tool: Tool,
  input: Record<string, unknown>,
): Promise<CallToolResult> {
  const subject = tool.subject?.(input) ?? null;
  let result: CallToolResult;
  try {
    const answer = presentable(tool.output.parse(await tool.answer({ ...context, actor: caller.actor }, input)));
    const json = JSON.stringify(answer);
    assertSmall(json);
    // Text as well: not every client hands structured content on.
    const content = [tool.summary(answer), json].map((text) => ({ type: 'text' as const, text }));
    result = { content, structuredContent: answer };
  } catch (error) {
    const { code, message, remedy } = said(context, tool, error);
    await record(context, caller, { tool: tool.name, outcome: 'failed', code, subject });
    return failure(code, message, remedy);
  }
  await record(context, caller, { tool: tool.name, outcome: 'answered', subject });
  return result;
}

/** What a caller may read of an error: of those that nobody meant, nothing but that there was one. */
function said({ log, scrub }: McpContext, { name }: Tool, error: unknown) {
  if (error instanceof SendoffError && error.blame !== 'bug') {
    const { code, message, remedy = '' } = error;
    return { code, message: scrub(message), remedy };
  }
  log.error({ err: error, tool: name }, 'a tool failed');
  return { code: 'INTERNAL', message: 'it failed', remedy: 'Sendoff’s log says why' };
}

function failure(code: string, message: string, remedy: string): CallToolResult {
  const text = presentable(`${code}: ${message}${remedy === '' ? '' : ` → ${remedy}`}`);
  return { content: [{ type: 'text', text }], isError: true };
}

async function record(
  { db }: McpContext,
  { actor, role, via }: McpCaller,
  { tool, outcome, code, subject = null }: Outcome,
): Promise<void> {
  const detail = { tool, outcome, via, role, ...(code === undefined ? {} : { code }) };
  await appendAudit(db, { kind: 'mcp.called', actor, person: subject, detail });
}
