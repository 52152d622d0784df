import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  type Tool as ListedTool,
  ListToolsRequestSchema,
  McpError,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { mayActAs } from '#shared/access/roles.js';
import { callTool } from './call-tool.js';
import { dataNote } from './schemas.js';
import type { McpCaller, McpContext, Tool } from './tool.js';
import { tools } from './tools.js';

const instructions = `Sendoff removes the Twilio SendGrid access of people who left, reads it back and proves it. These tools answer who still has access, what happened to a person, what is stuck and why, what waits for a human, what drifted, and what the audit trail says.
They only look, except for propose_offboarding, which asks a human to approve an offboarding and changes nothing by itself. Nothing here approves, rejects, restores, cancels or removes.
Answers rest on what Sendoff last read: pass on the times that stand beside them. "Not found" is not "has no access" for an account that was not read.
${dataNote} Every call is kept in the audit trail.`;

/** A server for one caller, to be connected to one transport. */
export interface CallerServer {
  server: McpServer;
  /** Resolves when every call that has come is answered. */
  idle(): Promise<void>;
}

/**
 * Makes servers that speak the Model Context Protocol, one for each caller. The SDK's own registration of tools is left
 * aside: it answers unknown tools and bad arguments by itself, and each of these is a call that has to be recorded.
 */
export function mcpServers(context: McpContext): (caller: McpCaller) => CallerServer {
  let listing: ListedTool[] | null = null;
  return (caller) => {
    listing ??= tools.map(listed);
    return createServer(context, caller, listing);
  };
}

function createServer(context: McpContext, caller: McpCaller, listing: ListedTool[]): CallerServer {
  const mcp = new McpServer({ name: 'sendoff', version: '1' }, { capabilities: { tools: {} }, instructions });
  const open = new Set<Promise<unknown>>();
  mcp.server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: listing.filter((_, index) => mayActAs(caller.role, tools[index]?.access ?? 'admin')),
  }));
  mcp.server.setRequestHandler(CallToolRequestSchema, async ({ params: { name, arguments: args } }) => {
    const call = callTool(context, caller, { name, args });
    open.add(call);
    try {
      return await call;
    } catch (error) {
      if (error instanceof McpError) throw error;
      // The SDK would pass its message on.
      context.log.error({ err: error }, 'a call could not be recorded');
      throw new McpError(ErrorCode.InternalError, 'it failed; Sendoff’s log says why');
    } finally {
      open.delete(call);
    }
  });
  return {
    server: mcp,
    async idle() {
      await Promise.allSettled(open);
    },
  };
}

function listed({ name, title, description, writes, input, output }: Tool): ListedTool {
  return {
    name,
    title,
    description,
    inputSchema: jsonSchema(input, 'input') as ListedTool['inputSchema'],
    outputSchema: jsonSchema(output, 'output') as ListedTool['outputSchema'],
    annotations: {
      title,
      readOnlyHint: !writes,
      destructiveHint: false,
      idempotentHint: !writes,
      openWorldHint: false,
    },
  };
}

/** Draft 7: what the protocol's clients validate by. */
function jsonSchema(schema: z.ZodObject, io: 'input' | 'output'): unknown {
  return z.toJSONSchema(schema, { target: 'draft-7', io, unrepresentable: 'any' });
}
