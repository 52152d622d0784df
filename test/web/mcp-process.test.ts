import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createWorld } from '#test/support/world.js';

// The built Sendoff with the official client on both ways in: an assistant asks, a human answers, and only then is
// anything changed in SendGrid.

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const world = await createWorld();
const clients: Client[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});
afterAll(() => world.end());

const environment = () =>
  Object.fromEntries(
    Object.entries(world.workplace.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

async function connect(transport: StdioClientTransport | StreamableHTTPClientTransport): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  clients.push(client);
  await client.connect(transport as Parameters<Client['connect']>[0]);
  return client;
}

const atTerminal = (...args: string[]) =>
  connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [main, 'mcp', ...args],
      cwd: world.workplace.dir,
      env: environment(),
      stderr: 'ignore',
    }),
  );

const overHttp = (token: string) =>
  connect(
    new StreamableHTTPClientTransport(new URL(`${world.url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    }),
  );

// biome-ignore lint/suspicious/noExplicitAny: whatever the tool answers
const call = async (client: Client, name: string, args: Record<string, unknown>): Promise<any> => {
  const result = await client.callTool({ name, arguments: args });
  if (result.isError === true) throw new Error(JSON.stringify(result.content));
  return result.structuredContent;
};

/** The plan that came of a proposal. */
async function planOf(client: Client, email: string) {
  await world.quiet();
  return (await call(client, 'explain_person', { person: email })).plans[0];
}

describe('an assistant at a terminal', () => {
  it('proposes; nothing is changed in SendGrid until somebody else approves; then it can tell the proof', async () => {
    const { email } = world.hire('jane');
    const client = await atTerminal('--role', 'operator', '--as', 'mel');
    expect((await call(client, 'access_of_person', { email })).people).toEqual([]);
    const before = world.sendgrid.applied().length;

    await call(client, 'propose_offboarding', { email, reason: 'her manager says so' });
    const plan = await planOf(client, email);
    expect(plan.state).toBe('held');
    expect(plan.hold.reasons.join()).toContain('proposed by mcp:mel: her manager says so');
    expect([world.account().has(email), world.sendgrid.applied().length]).toEqual([true, before]);

    const approved = await world.workplace.run(['plans', 'approve', plan.id, '--as', 'ann']);
    expect(approved.code, approved.stderr).toBe(0);
    await world.quiet();
    expect(world.account().has(email)).toBe(false);
    const after = await call(client, 'explain_person', { person: email });
    expect(after).toMatchObject({ footprintsTotal: 0, plans: [{ state: 'settled', changes: [{ state: 'done' }] }] });
    expect(after.proof).not.toBeNull();
    const asked = await call(client, 'search_audit', { kind: 'mcp.called', actor: 'mcp:mel', email });
    expect(asked.items.map((one: { detail: { tool: string } }) => one.detail.tool)).toContain('propose_offboarding');
  });

  it('may only look unless it was started to do more', async () => {
    const client = await atTerminal('--as', 'mel');
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain('explain_person');
    expect(names).not.toContain('propose_offboarding');
    const asked = client.callTool({ name: 'propose_offboarding', arguments: { email: 'x@acme.com', reason: 'x' } });
    expect(await asked).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('ROLE_MISSING') }] });
  });

  it('gets the protocol on stdout and nothing else; what was asked is answered before the end of stdin ends it', async () => {
    const child = spawn(process.execPath, [main, 'mcp'], { cwd: world.workplace.dir, env: environment() });
    const output = Promise.all([text(child.stdout), text(child.stderr)]);
    const clientInfo = { name: 't', version: '1' };
    for (const message of [
      { id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo } },
      { method: 'notifications/initialized' },
      { id: 2, method: 'tools/call', params: { name: 'list_todos', arguments: {} } },
    ]) {
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    }
    child.stdin.end();
    const [code] = await once(child, 'exit');
    const [stdout, stderr] = await output;
    expect(code, stderr).toBe(0);
    const answers = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(answers).toMatchObject([
      { id: 1, result: { serverInfo: { name: 'sendoff' } } },
      { id: 2, result: { structuredContent: { items: expect.any(Array) } } },
    ]);
    expect(stderr).toContain('mcp is up');
  });
});

describe('an assistant over HTTP', () => {
  it('can’t approve with its token what it proposed with it', async () => {
    const { email } = world.hire('kim');
    const { token } = await world.json<{ token: string }>('tokens', 'create', 'assistant', '--role', 'approver');
    const client = await overHttp(token);
    await call(client, 'propose_offboarding', { email, reason: 'seems to have left' });
    const { id } = await planOf(client, email);
    const ask = async (method: 'GET' | 'POST', path: string, body?: object) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const answer = await fetch(`${world.url}/api/v1/plans/${id}${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      // biome-ignore lint/suspicious/noExplicitAny: whatever the API answers
      return (await answer.json()) as any;
    };
    const { hold } = await ask('GET', '');
    expect(await ask('POST', '/approve', { setHash: hold.setHash })).toMatchObject({
      status: 403,
      code: 'SAME_PERSON',
    });
    await world.quiet();
    expect([world.account().has(email), (await ask('GET', '')).state]).toEqual([true, 'held']);
  });
});
