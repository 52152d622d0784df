import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { ImportPreview, ImportResult } from '#producers/import.js';
import { SendoffError } from '#shared/errors.js';
import { type EventState, eventStates } from '#shared/lifecycle/types.js';
import { listEvents, reopenEvent, showEvent } from '#shared/store/inbox.js';
import { isWorkerAlive } from '#shared/store/processes.js';
import { addListOptions, type ListOptions, printList, shortTime } from './listing.js';
import { exitCodes, print, table } from './output.js';
import { progressBar } from './progress.js';
import { commonOptions, configOf, environmentNow, withDatabase } from './session.js';

export function addEvents(program: Command): void {
  const events = program.command('events').description('what the identity providers sent: the inbox');

  addListOptions(events.command('list').description('newest first'), eventStates).action(
    async (options: ListOptions, command: Command) => {
      const { json } = commonOptions(command);
      const state = options.state === undefined ? {} : { state: options.state as EventState };
      await withDatabase(environmentNow(), ({ db }) =>
        printList(
          json,
          options,
          (query) => listEvents(db, { ...query, ...state }),
          [
            { title: 'RECEIVED', value: (e) => shortTime(e.receivedAt) },
            { title: 'STATE', value: (e) => e.state },
            { title: 'TYPE', value: (e) => e.type },
            { title: 'PERSON', value: (e) => e.person?.email ?? e.person?.id ?? null },
            { title: 'SOURCE', value: (e) => e.source },
            { title: 'ID', value: (e) => e.id },
            { title: 'WHY', value: (e) => e.lastError ?? e.reason ?? '' },
          ],
          'No events yet. `sendoff doctor` tells whether the hook can reach this place.',
        ),
      );
    },
  );

  events
    .command('show')
    .argument('<id>')
    .description('one event: what was sent, and the plans it led to')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { json } = commonOptions(command);
      const event = await withDatabase(environmentNow(), async ({ db }) => (isUuid(id) ? showEvent(db, id) : null));
      if (event === null) throw unknownId('event', id);
      print(json, event, () => {
        const { raw, ...facts } = event;
        return `${JSON.stringify(facts, null, 2)}\n\nAs it was sent:\n${raw}`;
      });
    });

  events
    .command('replay')
    .argument('<id>')
    .description('plan the person of this event anew, from the directory as it is now')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { json } = commonOptions(command);
      const done = await withDatabase(environmentNow(), async ({ db }) =>
        isUuid(id) ? reopenEvent(db, id, 'replayed by an operator') : false,
      );
      if (!done) throw unknownId('event that names a person', id);
      print(
        json,
        { id, state: 'received' },
        () => `${id} is planned anew; \`sendoff events show ${id}\` tells the outcome.`,
      );
    });

  addImport(events);
}

function addImport(events: Command): void {
  events
    .command('import')
    .argument('<file>')
    .description('take a CSV or JSON file of people who left into the inbox: shows it first, and asks')
    .option('--source <name>', 'the source of type `file` as which it is read; not needed if there is only one')
    .option('--yes', 'import without asking, if every row can be read')
    .action(async (file: string, options: { source?: string; yes?: boolean }, command: Command) => {
      const common = commonOptions(command);
      const { config } = configOf(common);
      // It loads every source: only this command needs them.
      const { openImport } = await import('#producers/import.js');
      await withDatabase(environmentNow(), async ({ db }) => {
        const wanted = openImport(config, db, file, options.source);
        const seen = await wanted.preview();
        if (!common.json) process.stdout.write(`${previewText(file, wanted.source, seen)}\n`);
        const isFine = seen.errorCount === 0;
        const goes =
          isFine && importable(seen) > 0 && (options.yes === true || (!common.json && (await isConfirmed(seen))));
        const imported = goes ? await importRows(wanted.store, seen, !common.json) : null;
        if (imported !== null && !(await isWorkerAlive(db))) {
          process.stderr.write(
            'sendoff: no worker is running: what was imported is planned once one is (sendoff up)\n',
          );
        }
        const { digest: _, ...shown } = seen;
        print(common.json, { file, source: wanted.source, ...shown, imported }, () => outcomeText(seen, imported));
        process.exitCode = exitCodeOf(seen, imported);
      });
    });
}

async function importRows(
  store: (seen: ImportPreview, onProgress: (done: number, of: number) => void) => Promise<ImportResult>,
  seen: ImportPreview,
  withBar: boolean,
): Promise<ImportResult> {
  const bar = progressBar('rows imported', withBar);
  return store(seen, bar.update).finally(bar.end);
}

function importable({ types }: ImportPreview): number {
  return Object.values(types).reduce((sum, count) => sum + count, 0);
}

/** Nobody is asked where nobody sits. */
async function isConfirmed(seen: ImportPreview): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return false;
  const questions = createInterface({ input: process.stdin, output: process.stdout });
  // The end of the input is no yes, and would otherwise never be an answer.
  const closed = new Promise<string>((resolve) => questions.once('close', () => resolve('')));
  const answer = await Promise.race([questions.question(`Import these ${importable(seen)}? [y/N] `), closed]);
  questions.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** Not confirmed is held; a file with a bad row is the operator's to mend; nothing to import is done. */
function exitCodeOf(seen: ImportPreview, imported: ImportResult | null) {
  if (seen.errorCount > 0) return exitCodes.usage;
  return imported === null && importable(seen) > 0 ? exitCodes.held : exitCodes.done;
}

function previewText(file: string, source: string, seen: ImportPreview): string {
  const counts = [
    ...Object.entries(seen.types).map(([type, count]) => `${count} ${type}`),
    ...(seen.ignored > 0 ? [`${seen.ignored} of a type that ${source} does not take`] : []),
    ...(seen.later > 0 ? [`${seen.later} of a day that has not come, left out`] : []),
    ...(seen.errorCount > 0 ? [`${seen.errorCount} mistakes`] : []),
  ];
  const lines = table(
    seen.first,
    [
      { title: 'ROW', value: (one) => String(one.row) },
      { title: 'TYPE', value: (one) => one.type },
      { title: 'PERSON', value: (one) => one.email },
      { title: 'ID', value: (one) => one.id },
      { title: 'DATE', value: (one) => shortTime(one.occurredAt) },
    ],
    '',
  );
  const errors = table(
    seen.errors,
    [
      {
        title: 'MISTAKES',
        value: ({ row, column, text }) =>
          column === null ? `row ${row} ${text}` : `row ${row}, column ${column}: ${text}`,
      },
    ],
    '',
  );
  const more = importable(seen) - seen.first.length;
  return [
    `${file}, read as ${source}: ${seen.rows} rows${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`,
    lines,
    more > 0 ? `… and ${more} more` : '',
    errors,
    seen.errorCount > seen.errors.length ? `… and ${seen.errorCount - seen.errors.length} more` : '',
  ]
    .filter((line) => line !== '')
    .join('\n');
}

function outcomeText(seen: ImportPreview, imported: ImportResult | null): string {
  if (seen.errorCount > 0) return 'Nothing was imported. Correct these rows and import the file again.';
  if (importable(seen) === 0) return 'There is nothing to import.';
  if (imported === null) return 'Nothing was imported. `--yes` imports it.';
  const known = imported.duplicates === 0 ? '' : `, ${imported.duplicates} were there already`;
  return `${imported.stored} imported${known}. \`sendoff events list\` shows them.`;
}

export function unknownId(what: string, id: string): SendoffError {
  return new SendoffError(`there is no ${what} with the id ${id}`, {
    code: 'NOT_FOUND',
    blame: 'input',
    remedy: 'the lists show the ids: sendoff events list, plans list, actions list',
  });
}

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
