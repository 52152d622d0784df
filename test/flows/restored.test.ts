import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { until } from '#test/support/sendoff.js';
import { createWorld, type World } from '#test/support/world.js';

describe('a database restored from a backup', () => {
  let world: World;
  let name: string;
  beforeAll(async () => {
    world = await createWorld();
    name = new URL(world.database.url).pathname.slice(1);
  });
  afterAll(async () => {
    await admin(`drop database if exists ${name}_backup with (force)`);
    await world.end();
  });

  const admin = async (statement: string) => {
    const client = new Client({ connectionString: inject('databaseUrl') });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };
  /** PostgreSQL copies a database only while nobody uses it. */
  const copy = async (from: string, to: string) => {
    await admin(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${from}'`);
    await admin(`create database ${to} template ${from}`);
  };

  it('changes nothing until an operator has looked, takes events in meanwhile, and repeats nothing afterwards', async () => {
    const [jane, kim] = [world.hire('jane'), world.hire('kim')];
    await world.running[0]?.stop();
    await copy(name, `${name}_backup`);

    const second = await world.start();
    world.okta.setStatus(jane.id, 'DEPROVISIONED');
    await world.post(world.event('user.lifecycle.deactivate', jane));
    await world.quiet();
    expect(await second.stop()).toBe(0);

    await admin(`drop database ${name} with (force)`);
    await copy(`${name}_backup`, name);
    const third = await world.start();
    await until('it says so', () => third.output().includes('restored from a backup'));
    world.okta.setStatus(kim.id, 'DEPROVISIONED');
    expect(await world.post(world.event('user.lifecycle.deactivate', kim))).toBe(204);
    await until('kim is planned', async () => {
      const { items } = await world.json<{ items: { state: string }[] }>('actions', 'list');
      return items.length > 0;
    });
    expect(world.account().has(kim.email)).toBe(true);

    expect((await world.workplace.run(['resume'])).code).toBe(0);
    await world.quiet();
    expect(world.account().has(kim.email)).toBe(false);
    const deleted = world.sendgrid.applied().map((entry) => entry.path);
    expect(deleted).toHaveLength(2);
    expect(new Set(deleted).size).toBe(2);
  });
});
