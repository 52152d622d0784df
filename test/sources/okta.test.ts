import { startOktaEmulator } from '#test/emulators/okta/index.js';
import { type SourceDriver, tellStory } from '#test/support/source-scenario.js';

const hookSecret = 'hook-secret-0123456789abcdef';

async function startDriver(): Promise<SourceDriver> {
  const okta = await startOktaEmulator();
  const idOf = ({ name }: { name: string }) => `00u-${name}`;
  return {
    source: 'okta',
    yaml: ({ poll }) => `  okta:
    type: okta
    orgUrl: ${okta.url}
    token: okta-emulator-token
    hookSecret: ${hookSecret}
    poll: ${poll}`,
    hire(human, group) {
      okta.addUser({ id: idOf(human), email: human.email });
      okta.setMember(idOf(human), group, true);
    },
    move(human, from, to) {
      okta.setMember(idOf(human), from, false);
      okta.setMember(idOf(human), to, true);
    },
    suspend: (human) => okta.setStatus(idOf(human), 'SUSPENDED'),
    reactivate: (human) => okta.setStatus(idOf(human), 'ACTIVE'),
    terminate: (human) => okta.setStatus(idOf(human), 'DEPROVISIONED'),
    rehire(human, group) {
      for (const old of okta.users.get(idOf(human))?.groups ?? []) okta.setMember(idOf(human), old, false);
      okta.setStatus(idOf(human), 'ACTIVE');
      okta.setMember(idOf(human), group, true);
    },
    async deliver(url, times = () => 1) {
      for (const [index, event] of okta.unpushed.splice(0).entries()) {
        for (let i = 0; i < times(index); i += 1) await okta.deliver(`${url}/hooks/okta`, hookSecret, [event]);
      }
    },
    types: { hire: ['joined', 'reactivated', 'moved'], suspend: ['suspended'], terminate: ['terminated'] },
    close: okta.close,
  };
}

tellStory('okta, end to end', startDriver, { push: true, poll: true });
