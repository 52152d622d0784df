import type { z } from 'zod';
import type { Role } from '#shared/access/roles.js';
import type { Config } from '#shared/config/schema.js';
import type { Policy } from '#shared/lifecycle/types.js';
import type { Db } from '#shared/store/database.js';
import type { Log } from '#shared/telemetry/log.js';

/** What the tools work with. None of them reaches a directory or SendGrid: they read what is stored, or store a wish. */
export interface McpContext {
  db: Db;
  config: Config;
  policy: Policy;
  log: Log;
  /** Known secret values out of a text. */
  scrub(text: string): string;
  /** Something was stored: see queue/relay.ts. */
  nudge(): void;
}

/** Who has an assistant ask. */
export interface McpCaller {
  /** As the audit trail calls them: `token:assistant`, `mcp:jane`. */
  actor: string;
  role: Role;
  via: 'http' | 'stdio';
}

/** Whom a call is about, as far as its arguments say. */
export interface Subject {
  id: string | null;
  email: string | null;
}

/** One thing that an assistant can ask for. */
export interface Tool<In extends z.ZodObject = z.ZodObject, Out extends z.ZodObject = z.ZodObject> {
  name: string;
  title: string;
  /** For a model: what it answers, when to use it, what it does not do. */
  description: string;
  /** The least role, as with the API's routes. */
  access: Role;
  /** false: it only looks. */
  writes: boolean;
  input: In;
  output: Out;
  subject?(input: z.output<In>): Subject | null;
  answer(context: McpContext & { actor: string }, input: z.output<In>): Promise<z.input<Out>>;
  /** One line beside the result: numbers and our own words, nothing that came from outside. */
  summary(result: z.output<Out>): string;
}

/** Keeps the types of arguments and result together while a tool is written. */
export function defineTool<In extends z.ZodObject, Out extends z.ZodObject>(tool: Tool<In, Out>): Tool {
  return tool as unknown as Tool;
}
