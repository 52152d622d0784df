import { sql } from 'kysely';
import { afterAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '#test/support/database.js';
import { createWorld } from '#test/support/world.js';

describe('a database that was never migrated', async () => {
  const database = await createTestDatabase();
  await sql`drop schema public cascade`.execute(database.db);
  await sql`create schema public`.execute(database.db);
  const world = await createWorld({ database, roles: [], migrate: false });
  afterAll(() => world.end());

  it.each(['web', 'worker', 'events list', 'plans list'])(
    'is refused by %s, which says what to run',
    async (command) => {
      const { code, stderr } = await world.workplace.run(command.split(' '));
      expect(code).toBe(2);
      expect(stderr).toContain('`sendoff migrate`');
    },
  );

  it('is made fit by migrate', async () => {
    expect((await world.workplace.run(['migrate'])).code).toBe(0);
    expect(await world.json('events', 'list')).toEqual({ items: [], next: null });
  });
});
