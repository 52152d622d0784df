import type { OneLoginSource } from '#shared/config/sources/onelogin.js';
import { messageOf, SendoffError } from '#shared/errors.js';
import type { Check } from '../directory.js';
import type { OneLoginClient } from './client.js';

const owner = 'the credentials live as long as the user who made them: that should be a service user';

/** Can the credentials do what the configuration needs? */
export async function doctor(name: string, config: OneLoginSource, client: OneLoginClient): Promise<Check[]> {
  const attempt = async (
    what: string,
    remedy: string,
    run: () => Promise<unknown>,
    fine = 'can be read',
  ): Promise<Check> => {
    const check = { name: `sources.${name} ${what}` };
    try {
      if ((await run()) !== null) return { ...check, ok: true, detail: fine, remedy: '' };
      return { ...check, ok: false, detail: 'was not found', remedy };
    } catch (error) {
      const ownRemedy = error instanceof SendoffError ? error.remedy : undefined;
      return { ...check, ok: false, detail: messageOf(error), remedy: ownRemedy ?? remedy };
    }
  };
  const scope = 'in Developers > API Credentials, give the credential pair the scope "Read Users" (or "Read All")';
  const checks = [
    attempt(
      'API credentials',
      `check sources.${name}.baseUrl, clientId and clientSecret; in Developers > API Credentials, make a new pair with the scope "Read Users" as a service user`,
      () => client.token(),
      `are accepted; ${owner}`,
    ),
    attempt('users', scope, () => client.get('/api/2/users?limit=1')),
    attempt('events', scope, () => client.get('/api/1/events?limit=1')),
  ];
  if (config.groupsFrom !== 'group') checks.push(attempt('roles', scope, () => client.get('/api/2/roles?limit=1')));
  if (config.groupsFrom !== 'roles') checks.push(attempt('groups', scope, () => client.get('/api/1/groups?limit=1')));
  if (config.app !== undefined) {
    checks.push(
      attempt(`app ${config.app}`, `give the credential pair the scope "Read All", and check sources.${name}.app`, () =>
        client.get(`/api/2/apps/${config.app}`),
      ),
    );
  }
  return Promise.all(checks);
}
