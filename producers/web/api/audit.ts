import { Readable } from 'node:stream';
import { z } from 'zod';
import { appendAudit } from '#shared/audit/append.js';
import { exportAudit } from '#shared/audit/export.js';
import { searchAudit } from '#shared/audit/search.js';
import { beginVerification, trailState, verifyTrail } from '#shared/audit/verifications.js';
import { SendoffError } from '#shared/errors.js';
import { actorOf } from '../access.js';
import type { ApiContext, ApiServer } from './context.js';
import { address, at, atOrNull, moment, page, personRef, searchConfig, timedListQuery } from './schemas.js';

const facts = z.record(z.string(), z.unknown()).nullable();

const record = z.object({
  id: z.string(),
  seq: z.number().nullable(),
  at,
  kind: z.string(),
  account: z.string().nullable(),
  person: personRef.nullable(),
  action: z
    .object({
      id: z.string(),
      kind: z.string(),
      footprint: z.string(),
      subuser: z.string().nullable(),
      target: z.string().nullable(),
    })
    .nullable(),
  before: facts,
  after: facts,
  cause: z.object({ source: z.string(), eventIds: z.array(z.string()), plan: z.string().nullable() }).nullable(),
  actor: z.string(),
  detail: facts,
  personal: z.record(z.string(), z.string()).nullable(),
  erased: z.boolean(),
});

const result = z
  .discriminatedUnion('ok', [
    z.object({
      ok: z.literal(true),
      records: z.number(),
      range: z.object({ from: z.number(), to: z.number() }),
      treeSize: z.number(),
      publicKey: z.string(),
      erased: z.number(),
    }),
    z.object({ ok: z.literal(false), defect: z.string(), firstBadSeq: z.number().nullable(), detail: z.string() }),
  ])
  .nullable();

const state = z.object({
  records: z.number(),
  unsequenced: z.number(),
  checkpoint: z.object({ size: z.number(), signedAt: at, publicKey: z.string() }).nullable(),
  exportedAt: atOrNull,
  verification: z
    .object({ state: z.enum(['running', 'done']), by: z.string(), startedAt: at, finishedAt: atOrNull, result })
    .nullable(),
});

const auditFilter = z.strictObject({
  kind: z.string().max(100).optional(),
  account: z.string().max(200).optional(),
  actor: z.string().max(200).optional(),
  personId: z.uuid().optional(),
  email: address.optional(),
  since: moment.optional(),
  until: moment.optional(),
});

/** Before the first line and the last one the whole log may be read: the connection stands still for so long without being cut. */
const quietMs = 10 * 60_000;

const types = { jsonl: 'application/x-ndjson', csv: 'text/csv; charset=utf-8', ocsf: 'application/x-ndjson' };

export function auditRoutes(app: ApiServer, { db, signer, log }: ApiContext): void {
  app.get(
    '/audit',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['audit'],
        summary: 'The audit trail, newest first; evidence is what an export gives',
        querystring: timedListQuery.extend(auditFilter.omit({ actor: true, email: true }).shape),
        response: { 200: page(record) },
      },
    },
    ({ query: { limit, before, ...filter } }) => searchAudit(db, filter, { limit, before }),
  );

  app.post(
    '/audit/search',
    {
      config: searchConfig,
      schema: {
        tags: ['audit'],
        summary: 'The same by who acted or whom it is about',
        body: timedListQuery.extend(auditFilter.shape),
        response: { 200: page(record) },
      },
    },
    ({ body: { limit, before, ...filter } }) => searchAudit(db, filter, { limit, before }),
  );

  app.get(
    '/audit/state',
    {
      config: { access: 'viewer' },
      schema: { tags: ['audit'], summary: 'Checkpoints, and what verifying it last said', response: { 200: state } },
    },
    () => trailState(db),
  );

  app.post(
    '/audit/verifications',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['audit'],
        summary: 'Verify the whole trail; /audit/state shows what came of it',
        response: { 202: z.object({ id: z.string() }) },
      },
    },
    async (request, reply) => {
      const by = actorOf(request);
      const id = await beginVerification(db, by);
      if (id === null) {
        throw new SendoffError('somebody is verifying it right now', {
          code: 'VERIFICATION_UNDER_WAY',
          blame: 'input',
          remedy: 'wait for it: GET /api/v1/audit/state',
        });
      }
      // It may take minutes: nobody waits for it.
      verifyTrail(db, { id, by, signer }).catch((error: unknown) =>
        log.error({ err: error }, 'verifying the audit trail broke off'),
      );
      return reply.code(202).send({ id });
    },
  );

  app.get(
    '/audit/export',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['audit'],
        summary: 'The trail, streamed; JSONL ends with a signed checkpoint, without which it is truncated',
        querystring: z.strictObject({
          format: z.enum(['jsonl', 'csv', 'ocsf']).default('jsonl'),
          since: moment.optional(),
          until: moment.optional(),
        }),
        response: { 200: z.string().describe('application/x-ndjson or text/csv') },
      },
      serializerCompiler: () => (data) => String(data),
    },
    async (request, reply) => {
      const { format, since = null, until = null } = request.query;
      reply.raw.setTimeout(quietMs, () => reply.raw.destroy());
      await appendAudit(db, { kind: 'audit.exported', actor: actorOf(request), detail: { format } });
      const lines = exportAudit(db, { format, since, until, signer });
      // The first line is drawn here: what refuses the whole export is a problem document, not half a file.
      const first = await lines.next();
      const name = `sendoff-audit.${format === 'csv' ? 'csv' : 'jsonl'}`;
      reply.type(types[format]).header('content-disposition', `attachment; filename="${name}"`);
      const stream = Readable.from(whole(first, lines, (error) => log.error({ err: error }, 'an export broke off')));
      // The schema describes the text; a stream goes out as it is.
      return reply.send(stream as unknown as string);
    },
  );
}

/** A line a chunk makes clients slow: some take minutes for a million of them. */
const pieceLength = 64 * 1024;

/** Ends the connection where it breaks off: without its checkpoint the file shows as truncated. */
async function* whole(
  first: IteratorResult<string, void>,
  rest: AsyncGenerator<string>,
  onError: (error: unknown) => void,
): AsyncGenerator<string> {
  let piece = first.done === true ? '' : first.value;
  try {
    for await (const line of rest) {
      piece += line;
      if (piece.length < pieceLength) continue;
      yield piece;
      piece = '';
    }
  } catch (error) {
    onError(error);
    throw error;
  }
  if (piece !== '') yield piece;
}
