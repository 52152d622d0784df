import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type EntraEmulator, makeCertificate, registration, startEntraEmulator } from '#test/emulators/entra/index.js';
import { type Human, type SourceDriver, tellStory } from '#test/support/source-scenario.js';
import type { World } from '#test/support/world.js';

const clientState = 'client-state-0123456789abcdef';

/** A Microsoft Entra tenant as the story needs it: subscribed to by the command an administrator would use. */
async function startDriver(): Promise<SourceDriver & { entra: EntraEmulator }> {
  const tls = makeCertificate();
  const entra = await startEntraEmulator(tls);
  const ids = new Map<string, string>();
  const idOf = ({ name }: Human) => ids.get(name) ?? '';
  const groupId = (name: string) => entra.groupNamed(name).id;

  const hire = ({ name, email }: Human, group: string): void => {
    const { id } = entra.addUser({ email });
    ids.set(name, id);
    entra.join(groupId(group), id);
  };
  return {
    entra,
    source: 'entra',
    env: { ENTRA_CLIENT_SECRET: registration.clientSecret, NODE_EXTRA_CA_CERTS: tls.path },
    yaml: ({ poll }) => `  entra:
    type: entra
    tenantId: ${registration.tenantId}
    clientId: ${registration.clientId}
    clientSecret: \${ENTRA_CLIENT_SECRET}
    clientState: ${clientState}
    graphUrl: ${entra.url}
    authorityHost: ${entra.url}
    poll: ${poll}`,
    ready: (world) => subscribe(world),
    hire,
    move(human, from, to) {
      entra.leave(groupId(from), idOf(human));
      entra.join(groupId(to), idOf(human));
    },
    suspend: (human) => entra.setEnabled(idOf(human), false),
    reactivate: (human) => entra.setEnabled(idOf(human), true),
    terminate: (human) => entra.softDelete(idOf(human)),
    // A new account with the old address, while the old one lies in the recycle bin.
    rehire: hire,
    async deliver(_url, times) {
      for (const status of await entra.deliver(times)) {
        if (status !== 202) throw new Error(`a delivery was answered ${status}`);
      }
    },
    // What arrives does not say what happened (idp-events.md §2.4).
    types: { hire: ['moved'], suspend: ['moved', 'suspended'], terminate: ['moved', 'terminated'] },
    async close() {
      await entra.close();
      tls.remove();
    },
  };
}

/** `sendoff subscriptions ensure`, with the address under which the web process is reached. */
async function subscribe({ workplace, url }: World): Promise<void> {
  const config = join(workplace.dir, 'sendoff.yaml');
  await writeFile(config, `${await readFile(config, 'utf8')}\npublicUrl: ${url}\n`);
  const { code, stdout, stderr } = await workplace.run(['subscriptions', 'ensure', '--json']);
  if (code !== 0) throw new Error(`sendoff subscriptions ensure ended with ${code}: ${stdout}${stderr}`);
}

tellStory('test/sources/entra', startDriver, { push: true, poll: true });
