import { createWorld, hookSecret, type World, type WorldOptions } from '#test/support/world.js';

export interface OktaWorldOptions extends Pick<WorldOptions, 'accounts' | 'config' | 'env' | 'app'> {
  poll: string;
  /** More lines of the source, or more sources. */
  more?: string;
  authority?: string;
}

/** A company whose Okta is asked for its log, and can be told where to send; nothing of Sendoff runs yet. */
export async function createOktaWorld({ poll, more = '', authority, ...options }: OktaWorldOptions): Promise<World> {
  const yaml = `  okta:
    type: okta
    orgUrl: \${OKTA_ORG_URL}
    token: \${OKTA_API_TOKEN}
    hookSecret: \${OKTA_HOOK_SECRET}
    poll: ${poll}
${options.app === undefined ? '' : `    app: ${options.app}\n`}${more}`;
  const world = await createWorld({
    ...options,
    roles: [],
    migrate: false,
    sources: { authority: authority ?? 'okta', yaml },
    config: `publicUrl: \${PUBLIC_URL}\n${options.config ?? ''}`,
    env: { OKTA_HOOK_SECRET: hookSecret, ...options.env },
  });
  Object.assign(world.workplace.env, { OKTA_ORG_URL: world.okta.url, PUBLIC_URL: world.url });
  return world;
}

export interface TaskRow {
  cursor: string | null;
  failures: number;
  last_error: string | null;
  waits: number;
}

/** What is remembered of a task; null: nothing yet. */
export async function taskRow(world: World, source: string, task: string): Promise<TaskRow | null> {
  const { rows } = await world.database.pool.query<TaskRow>(
    `select cursor, failures, last_error, extract(epoch from due_at - now())::float8 as waits
     from source_task where source = $1 and task = $2`,
    [source, task],
  );
  return rows[0] ?? null;
}

/** Makes a task due, also one that is at work right now: it begins anew when it ends. */
export async function dueNow(world: World, task: string): Promise<void> {
  await world.database.pool.query(
    'update source_task set due_at = now(), woken_at = clock_timestamp() where task = $1',
    [task],
  );
}
