import type { Page } from '../api/types.ts';
import { useRead } from '../api/use-api.ts';
import { ConfirmButton } from '../parts/confirm.tsx';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Nothing } from '../parts/page.tsx';
import { Read } from '../parts/read.tsx';
import { Moment } from '../parts/words.tsx';

interface User {
  id: string;
  name: string;
  sessions: number;
  signedInAt: string;
}

export function Users() {
  const users = useRead<Page<User>>('/users');
  return (
    <Read of={users}>
      {({ items }) =>
        items.length === 0 ? (
          <Nothing>Nobody has signed in by name yet. Write `signIn` into sendoff.yaml to let them.</Nothing>
        ) : (
          <DataTable label="Users" columns={columns} rows={items} idOf={({ id }) => id} />
        )
      }
    </Read>
  );
}

const columns: Column<User>[] = [
  { header: 'Name', cell: ({ name }) => <span className="break">{name}</span> },
  { header: 'Open sessions', cell: ({ sessions }) => sessions },
  { header: 'Signed in', cell: ({ signedInAt }) => <Moment at={signedInAt} /> },
  {
    header: 'End',
    cell: ({ id, name }) => (
      <ConfirmButton
        label="End sessions"
        title={`End every session of ${name}`}
        explanation="At once. Whether they may come back is the identity provider’s to say."
        color="red"
        write={() => ({ path: `/users/${id}`, method: 'DELETE' })}
      />
    ),
  },
];
