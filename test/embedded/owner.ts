import { Client } from 'pg';
import type { StoreLog } from '#shared/store/database.js';
import { startEmbedded } from '#shared/store/embedded/index.js';

// A process that owns an embedded database, as `sendoff up` does, for tests that kill it.
// One JSON line on stdout per event: started, row (committed), failed, log.

const [dataDir = '', nativeDir, stagingRoot] = process.argv.slice(2);

function say(event: string, facts: object = {}): void {
  process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`);
}

const logLine = (facts: object, message: string): void => say('log', { ...facts, message });
const log: StoreLog = { info: logLine, warn: logLine, error: logLine };

async function writeRows(url: string): Promise<never> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('create table if not exists row (id integer primary key)');
  const { rows } = await client.query<{ next: number }>('select coalesce(max(id), 0) + 1 as next from row');
  for (let id = rows[0]?.next ?? 1; ; id += 1) {
    await client.query('insert into row values ($1)', [id]);
    say('row', { id });
  }
}

try {
  const embedded = await startEmbedded({
    dataDir,
    log,
    ...(nativeDir ? { native: { dir: nativeDir, label: '18.4.0-copy' } } : {}),
    ...(stagingRoot ? { stagingRoots: [stagingRoot] } : {}),
  });
  process.once('SIGTERM', () => void embedded.stop().then(() => process.exit(0)));
  // What a drain needs: the database must still answer after Ctrl-C.
  process.once('SIGINT', async () => {
    const client = new Client({ connectionString: embedded.url });
    await client.connect();
    await client.query('select 1');
    await client.end();
    say('drained');
    await embedded.stop();
    process.exit(0);
  });
  say('started', { url: embedded.url });
  process.stdin.on('data', () => void writeRows(embedded.url).catch(() => undefined));
} catch (error) {
  const { code, message, facts } = error as { code?: string; message: string; facts?: object };
  say('failed', { code, message, facts });
  process.exit(2);
}
