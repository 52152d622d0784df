import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbedded } from '#shared/store/embedded/index.js';
import { consolePages } from './console.js';
import { intake } from './intake.js';
import { leaver } from './leaver.js';
import { ledger } from './ledger.js';
import { pacedLeavers } from './paced-leavers.js';
import { reconciliation } from './reconcile.js';
import type { Row, Section } from './section.js';
import { twoWorkers } from './two-workers.js';

// The figures of the design, each beside its bare counterpart or its promise, all in one run on this machine.
// `npm run bench -- --only reconcile` runs one section and puts its figures in the place of the former ones.

const sections: Section[] = [intake, leaver, pacedLeavers, twoWorkers, reconciliation, consolePages, ledger];
const { only } = parseArgs({ options: { only: { type: 'string', multiple: true } } }).values;
const unknown = only?.find((name) => !sections.some((section) => section.name === name));
if (unknown !== undefined) {
  throw new Error(`there is no section ${unknown}: ${sections.map(({ name }) => name).join(', ')}`);
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const dir = await mkdtemp(join(tmpdir(), 'sendoff-bench-'));
const server = await startEmbedded({ dataDir: dir, log: quiet });
const results = new URL('results.md', import.meta.url);
const parts = new Map<string, string>();
let met = true;
try {
  for (const { name, title, run } of sections) {
    if (only !== undefined && !only.includes(name)) continue;
    const { rows, text } = await run(server.url);
    for (const row of rows) {
      met &&= row.met;
      process.stderr.write(`${row.what}: ${row.measured} (${row.promise})\n`);
    }
    parts.set(title, `${table(rows)}\n${text === undefined ? '' : `\n${text}\n`}`);
  }
} finally {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
}

const former = only === undefined ? new Map<string, string>() : partsOf(await readFile(results, 'utf8'));
const all = sections.flatMap(({ title }) => {
  const part = parts.get(title) ?? former.get(title);
  return part === undefined ? [] : [`## ${title}\n\n${part}`];
});
await writeFile(
  results,
  `# Measured

\`npm run bench\` on ${cpus().length} cores, Node ${process.versions.node}; each section in one run. Client, servers, emulators and PostgreSQL share the machine, so only ratios travel.

${all.join('\n')}`,
);
process.stdout.write(`\n${[...parts].map(([title, part]) => `## ${title}\n\n${part}`).join('\n')}`);
process.exitCode = met ? 0 : 1;

/** What is written under each title. */
function partsOf(text: string): Map<string, string> {
  const written = text.split(/^## /m).slice(1);
  return new Map(
    written.map((part) => {
      const end = part.indexOf('\n');
      return [part.slice(0, end), `${part.slice(end).trim()}\n`];
    }),
  );
}

function table(rows: Row[]): string {
  const cells = rows.map((row) => [row.what, row.measured, row.promise, row.met ? 'yes' : 'NO']);
  return [['what', 'measured', 'to reach', 'met'], ['---', '---', '---', '---'], ...cells]
    .map((line) => `| ${line.join(' | ')} |`)
    .join('\n');
}
