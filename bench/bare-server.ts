import fastify from 'fastify';
import pg from 'pg';

// The counterpart: a bare Fastify route that only inserts the same row. Nothing verified, normalized or audited.

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 12 });
const app = fastify({ logger: false });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/hooks/okta', async (request, reply) => {
  const body = request.body as Buffer;
  const { uuid, published } = JSON.parse(body.toString()).data.events[0];
  await pool.query(
    `insert into inbox (source, event_id, type, sender_type, person_ref, occurred_at, raw, state, due_at)
     values ('bare', $1, 'terminated', 'user.lifecycle.deactivate', $2, $3, $4, 'done', null)`,
    [uuid, JSON.stringify({ directoryId: '00u1', email: 'a@acme.com' }), published, body],
  );
  return reply.code(204).send();
});
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
console.log('bare is up');
