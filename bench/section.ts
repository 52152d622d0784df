/** One line of the table. */
export interface Row {
  what: string;
  measured: string;
  promise: string;
  met: boolean;
}

/** A part of the benchmark, with a table of its own; `--only <name>` runs it alone. */
export interface Section {
  name: string;
  title: string;
  /** @param serverUrl a PostgreSQL server where it may make databases */
  run(serverUrl: string): Promise<{ rows: Row[]; text?: string }>;
}

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
