import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { freePort } from '#test/support/sendoff.js';

// Prism in front of an upstream: what breaks the published contract gets a 422 (request) or a 500 (response) instead
// (sendgrid.md §13, where this was tried).

const beside = fileURLToPath(new URL('../../../shared/contracts/sendgrid', import.meta.url));

/** Where the published files are; null when they are not at hand. */
export const contracts: string | null =
  [process.env.SENDOFF_CONTRACTS, beside].find((dir) => dir !== undefined && existsSync(dir)) ?? null;

export interface ContractProxy {
  url: string;
  operations: number;
  close(): Promise<void>;
}

/** The parts of Prism that its command line is made of; no stable interface, so the version is pinned. */
interface Prism {
  getHttpOperationsFromSpec(spec: unknown): Promise<unknown[]>;
  createServer(
    operations: unknown[],
    options: unknown,
  ): { listen(port: number, host: string): Promise<string>; close(): Promise<void> };
  createLogger(name: string, options: { level: string }): unknown;
}

export async function startContractProxy(upstream: string): Promise<ContractProxy> {
  if (contracts === null) throw new Error('there are no contracts');
  const { getHttpOperationsFromSpec, createServer, createLogger } = loadPrism();
  const files = readdirSync(contracts)
    // The newest scopes file dropped the access requests that the one before it documents.
    .filter((file) => /^tsg_.*\.yaml$/.test(file) && file !== 'tsg_scopes_v3.yaml')
    .concat(join('previous', 'tsg_scopes_v3.yaml'));
  const specs = files.map((file) => corrected(parse(readFileSync(join(contracts ?? '', file), 'utf8'))));
  const operations = (await Promise.all(specs.map(getHttpOperationsFromSpec))).flat();
  const server = createServer(operations, {
    cors: false,
    config: {
      validateRequest: true,
      validateResponse: true,
      checkSecurity: true,
      errors: true,
      upstreamProxy: undefined,
      mock: { dynamic: false, ignoreExamples: false },
      isProxy: true,
      upstream: new URL(upstream),
    },
    components: { logger: createLogger('prism', { level: 'silent' }) },
  });
  const port = await freePort();
  await server.listen(port, '127.0.0.1');
  return { url: `http://127.0.0.1:${port}`, operations: operations.length, close: () => server.close() };
}

function loadPrism(): Prism {
  const cli = createRequire(createRequire(import.meta.url).resolve('@stoplight/prism-cli/package.json'));
  return { ...cli('@stoplight/prism-http'), ...cli('@stoplight/prism-http-server'), ...cli('@stoplight/prism-core') };
}

type Node = Record<string, unknown>;

/** Defects of the published files that are known (sendgrid.md §13), mended in memory only. */
function corrected(document: unknown): unknown {
  walk(document);
  const schemas = (document as { components?: { schemas?: Record<string, Node> } }).components?.schemas;
  const sso = schemas?.SsoErrorResponse;
  if (schemas !== undefined && sso?.type === 'array') {
    schemas.SsoErrorResponse = {
      type: 'object',
      required: ['errors'],
      properties: { errors: { type: 'array', items: sso.items } },
    };
  }
  return document;
}

function walk(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const node = value as Node;
  if (node.nullable === true && typeof node.type === 'string') {
    node.type = [node.type, 'null'];
    delete node.nullable;
  }
  const field = (node.properties as { errors?: { items?: { properties?: { field?: Node } } } } | undefined)?.errors
    ?.items?.properties?.field;
  if (field?.type === 'string') field.type = ['string', 'null'];
  const body = node.requestBody as Node | undefined;
  if (body !== undefined && body.$ref === undefined) body.required = true;
  for (const inner of Object.values(node)) walk(inner);
}
