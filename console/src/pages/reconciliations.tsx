import { withQuery } from '../api/client.ts';
import type { Page } from '../api/types.ts';
import { useMay, useRead } from '../api/use-api.ts';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Nothing, Section } from '../parts/page.tsx';
import { Read } from '../parts/read.tsx';
import { Moment, Small } from '../parts/words.tsx';
import { WriteButton } from '../parts/write-button.tsx';

interface Run {
  id: string;
  state: 'running' | 'done' | 'broken-off';
  mode: 'cheap' | 'deep';
  by: string;
  startedAt: string;
  progress: { done: number; of: number } | null;
  summary: {
    accounts: { account: string; complete: boolean; teammates: number; drift: number }[];
    unannounced: number;
    problems: string[];
  } | null;
}

export function Reconciliations() {
  const runs = useRead<Page<Run>>(withQuery('/reconciliations', { limit: 5 }));
  const mayReconcile = useMay('operator');
  return (
    <Section
      title="Reconciliations"
      aside={
        mayReconcile && (
          <WriteButton
            label="Reconcile all accounts"
            doneText="Requested: a worker begins as soon as it can."
            write={() => ({ path: '/reconciliations', body: {} })}
          />
        )
      }
    >
      <Read of={runs}>
        {({ items }) =>
          items.length === 0 ? (
            <Nothing>None yet: a worker makes one when it starts.</Nothing>
          ) : (
            <DataTable label="Reconciliations" columns={columns} rows={items} idOf={({ id }) => id} />
          )
        }
      </Read>
    </Section>
  );
}

const columns: Column<Run>[] = [
  { header: 'Began', cell: ({ startedAt }) => <Moment at={startedAt} /> },
  { header: 'Mode', cell: ({ mode }) => mode },
  { header: 'By', cell: ({ by }) => by },
  {
    header: 'State',
    cell: ({ state, progress }) =>
      state === 'running' && progress !== null ? `running, ${progress.done} of ${progress.of}` : state,
  },
  {
    header: 'Drift',
    cell: ({ summary }) =>
      summary === null ? (
        ''
      ) : (
        <Small>
          {[
            ...summary.accounts.map(
              ({ account, drift, complete }) => `${account} ${complete ? drift : 'not read whole'}`,
            ),
            ...summary.problems,
          ].join('; ')}
        </Small>
      ),
  },
];
