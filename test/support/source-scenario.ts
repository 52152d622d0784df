import { afterEach, describe, expect, it } from 'vitest';
import { lcg } from './random.js';
import { until } from './sendoff.js';
import { createWorld, type World } from './world.js';

// The same story for every source: hired, moved, suspended, back, terminated, hired again; pushed, polled, and with half
// of it lost.

export interface Human {
  name: string;
  email: string;
}

/** An identity provider under test: its emulator, and how people come and go there. */
export interface SourceDriver {
  /** The lines below `sources:`, without polling unless `poll` asks for it. */
  yaml(options: { poll: string }): string;
  env?: NodeJS.ProcessEnv;
  /** Name of the source in the configuration, which is the authority too unless `authority` says otherwise. */
  source: string;
  authority?: string;
  /** Called once Sendoff runs, before anybody is hired: to subscribe, for instance. */
  ready?(world: World): Promise<void>;
  /** Each changes the directory and queues what the provider would push. */
  hire(human: Human, group: string): Promise<void> | void;
  move(human: Human, from: string, to: string): Promise<void> | void;
  suspend(human: Human): Promise<void> | void;
  reactivate(human: Human): Promise<void> | void;
  terminate(human: Human): Promise<void> | void;
  rehire(human: Human, group: string): Promise<void> | void;
  /**
   * Sends what is queued to `<url>/hooks/<source>`, each once unless `times` says otherwise (0: lost). Absent: the
   * provider pushes nothing.
   */
  deliver?(url: string, times?: (index: number) => number): Promise<void>;
  /** What a source's events are called while the story goes on; some of them must have been seen. */
  types: { hire: string[]; suspend: string[]; terminate: string[] };
  close(): Promise<void>;
}

const scopesOf = { Writers: ['mail.send', 'templates.read'], Readers: ['stats.read'] };
const config = `
roles:
  writer: { scopes: [${scopesOf.Writers.join(', ')}] }
  reader: { scopes: [${scopesOf.Readers.join(', ')}] }
grants:
  - { group: Writers, account: marketing, role: writer }
  - { group: Readers, account: marketing, role: reader }
provisioning: { create: true }
offboarding: { successor: none, recheck: 0s, reassign: [] }
`;

/** @param can which parts of the table the source has */
export function tellStory(
  title: string,
  start: () => Promise<SourceDriver>,
  can: { push: boolean; poll: boolean },
): void {
  describe(title, () => {
    let world: World;
    let driver: SourceDriver;

    afterEach(async () => {
      await world?.end();
      await driver?.close();
    });

    async function open(poll: string): Promise<void> {
      driver = await start();
      world = await createWorld({
        sources: { authority: driver.authority ?? driver.source, yaml: driver.yaml({ poll }) },
        config,
        env: { ...driver.env },
      });
      await driver.ready?.(world);
    }

    const held = (human: Human) => {
      const mate = [...world.account().teammates.values()].find(({ email }) => email === human.email);
      return mate === undefined
        ? 'absent'
        : mate.scopes
            .filter((scope) => scope !== 'user.profile.read')
            .sort()
            .join();
    };
    const holds = (human: Human, what: string) =>
      until(`${human.name} holds ${what}`, async () => held(human) === what, 30_000).catch((error: unknown) => {
        throw new Error(`${String(error)}; holds ${held(human)}\n${world.running[0]?.output().slice(-4_000)}`);
      });
    const typesSeen = async () => {
      const { items } = await world.json<{ items: { source: string; type: string }[] }>('events', 'list', '--all');
      return new Set(items.filter(({ source }) => source === driver.source).map(({ type }) => type));
    };

    async function story(deliver: () => Promise<void>): Promise<void> {
      const jane = { name: 'jane', email: 'jane@acme.com' };
      const [writer, reader] = [scopesOf.Writers.join(), scopesOf.Readers.join()];
      await driver.hire(jane, 'Writers');
      await deliver();
      await holds(jane, writer);
      await driver.move(jane, 'Writers', 'Readers');
      await deliver();
      await holds(jane, reader);
      await driver.suspend(jane);
      await deliver();
      await holds(jane, '');
      await driver.reactivate(jane);
      await deliver();
      await holds(jane, reader);
      await driver.terminate(jane);
      await deliver();
      await holds(jane, 'absent');
      await driver.rehire(jane, 'Writers');
      await deliver();
      await holds(jane, writer);
      // A poll may bring the last of it only after the directory has told.
      await until('every type was seen', async () => {
        const seen = await typesSeen();
        return Object.values(driver.types).every((among) => among.some((type) => seen.has(type)));
      });
    }

    it.runIf(can.push)(
      'hired, moved, suspended, back, terminated, hired again: as it is pushed',
      async () => {
        await open('off');
        await story(async () => driver.deliver?.(world.url));
      },
      120_000,
    );

    it.runIf(can.poll)(
      'the same with nothing pushed: what is polled is enough',
      async () => {
        await open('1s');
        await story(async () => undefined);
      },
      120_000,
    );

    it.runIf(can.push && can.poll)(
      'a fifth of the pushes lost, others twice: every leaver is removed, and once',
      async () => {
        await open('2s');
        const people = Array.from({ length: 20 }, (_, i) => ({ name: `p${i}`, email: `p${i}@acme.com` }));
        for (const human of people) await driver.hire(human, 'Readers');
        await driver.deliver?.(world.url);
        for (const human of people) await holds(human, scopesOf.Readers.join());
        const random = lcg(7);
        for (const human of people) await driver.terminate(human);
        await driver.deliver?.(world.url, () => {
          const drawn = random();
          return drawn < 0.2 ? 0 : drawn < 0.4 ? 2 : 1;
        });
        for (const human of people) await holds(human, 'absent');
        await world.quiet();
        const deleted = world.sendgrid.journal.filter(({ method }) => method === 'DELETE');
        expect(deleted.length).toBe(people.length);
      },
      180_000,
    );
  });
}
