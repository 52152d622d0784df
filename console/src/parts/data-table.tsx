import { type RowData, tableFeatures, useTable } from '@tanstack/react-table';
import { type ReactNode, useMemo } from 'react';

export interface Column<T> {
  header: string;
  cell: (row: T) => ReactNode;
}

// Pages, order and filters are the server's.
const features = tableFeatures({});

/** Not Mantine’s table, which brings its scroll area along. On a narrow screen each row is a card. `columns` has to stay the same between renderings. */
export function DataTable<T extends RowData>({
  label,
  columns,
  rows,
  idOf,
}: {
  label: string;
  columns: Column<T>[];
  rows: T[];
  idOf: (row: T) => string;
}) {
  const definitions = useMemo(
    () =>
      columns.map(({ header, cell }) => ({
        id: header,
        header,
        cell: ({ row }: { row: { original: T } }) => cell(row.original),
      })),
    [columns],
  );
  const table = useTable({ features, columns: definitions, data: rows, getRowId: idOf });
  return (
    <table className="rows" aria-label={label}>
      <thead>
        {table.getHeaderGroups().map((group) => (
          <tr key={group.id}>
            {group.headers.map((header) => (
              <th key={header.id} scope="col">
                <table.FlexRender header={header} />
              </th>
            ))}
          </tr>
        ))}
      </thead>
      <tbody>
        {table.getRowModel().rows.map((row) => (
          <tr key={row.id}>
            {row.getAllCells().map((cell) => (
              <td key={cell.id} data-label={cell.column.id}>
                <table.FlexRender cell={cell} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
