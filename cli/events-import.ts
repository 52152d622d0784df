import type { Command } from 'commander';
import { isConfirmed } from './confirm.js';
import { shortTime } from './listing.js';
import { exitCodes, print, table } from './output.js';
import { progressBar } from './progress.js';
import type { ImportPreview, ImportResult } from './reach/imports.js';
import { commonOptions, withSendoff } from './session.js';

const reach = () => import('./reach/imports.js');

export function addImport(events: Command): void {
  events
    .command('import')
    .argument('<file>')
    .description('take a CSV or JSON file of people who left into the inbox: shows it first, and asks')
    .option('--source <source>', 'the source of type `file` as which it is read; not needed if there is only one')
    .option('--yes', 'import without asking, if every row can be read')
    .addHelpText('after', '\nExample:\n  sendoff events import leavers.csv --source hr')
    .action(async (file: string, options: { source?: string; yes?: boolean }, command: Command) => {
      const { json } = commonOptions(command);
      await withSendoff(command, reach, async ({ open, isWorkerAlive }) => {
        const wanted = open(file, options.source);
        const seen = await wanted.preview();
        if (!json) process.stdout.write(`${previewText(file, wanted.source, seen)}\n`);
        const isFine = seen.errorCount === 0;
        const goes =
          isFine &&
          importable(seen) > 0 &&
          (options.yes === true || (!json && (await isConfirmed(`Import these ${importable(seen)}?`))));
        const imported = goes ? await importRows(wanted.store, seen, !json) : null;
        if (imported !== null && !(await isWorkerAlive())) {
          process.stderr.write(
            'sendoff: no worker is running: what was imported is planned once one is (sendoff up)\n',
          );
        }
        const { digest: _, ...shown } = seen;
        print(json, { file, source: wanted.source, ...shown, imported }, () => outcomeText(seen, imported));
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
