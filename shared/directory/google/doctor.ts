import type { GoogleSource } from '#shared/config/sources/google.js';
import { messageOf } from '#shared/errors.js';
import type { Check } from '../directory.js';
import { type GoogleClient, parsed, type Scope, scopes } from './client.js';
import { GoogleUnavailable } from './failure.js';
import { GoogleUser } from './schema.js';

const privileges: Record<Scope, string> = {
  users: 'Admin API privileges > Users > Read',
  groups: 'Admin API privileges > Groups > Read',
  audit: 'Reports',
};

/** Each scope is asked for by itself: Google refuses a token for several without saying which is missing. */
export async function doctor(name: string, config: GoogleSource, client: GoogleClient): Promise<Check[]> {
  const check = async (what: string, scope: Scope, run: () => Promise<Pick<Check, 'ok' | 'detail' | 'remedy'>>) => {
    try {
      await client.authorize(scope);
      return { name: `sources.${name} ${what}`, ...(await run()) };
    } catch (error) {
      const remedy = remedyFor(error, scope, config);
      return { name: `sources.${name} ${what}`, ok: false, detail: messageOf(error), remedy };
    }
  };
  const readable = { ok: true, detail: 'can be read', remedy: '' };
  return Promise.all([
    check('users', 'users', async () => {
      await client.userPage({ maxResults: 1 });
      return readable;
    }),
    check('groups', 'groups', async () => {
      await client.groups(null).next();
      return readable;
    }),
    ...(config.poll === null
      ? []
      : [
          check('audit log', 'audit', async () => {
            const end = new Date();
            const start = new Date(end.getTime() - 60 * 60_000);
            await client.activityPage({ start, end, pageToken: null, maxResults: 1 });
            return readable;
          }),
        ]),
    check('administrator', 'users', async () => administrator(name, config, client)),
  ]);
}

/** The source works for as long as the administrator does in whose name it asks. */
async function administrator(name: string, { subject }: GoogleSource, client: GoogleClient) {
  const remedy = `set sources.${name}.subject to an administrator who stays, best one that is no person’s own account`;
  const body = await client.getUser(subject);
  if (body === null) return { ok: false, detail: `${subject} is no user of this customer`, remedy };
  const { suspended, archived, deletionTime } = parsed(name, GoogleUser, body);
  const gone = deletionTime ? 'deleted' : archived ? 'archived' : suspended ? 'suspended' : null;
  if (gone !== null) return { ok: false, detail: `${subject} is ${gone}: Google will soon answer nothing`, remedy };
  return { ok: true, detail: `${subject} is active; when they leave, this source stops working`, remedy: '' };
}

function remedyFor(error: unknown, scope: Scope, { clientEmail, subject }: GoogleSource): string {
  const { status, reason } = error instanceof GoogleUnavailable ? error : { status: null, reason: null };
  if (reason === 'unauthorized_client' || reason === 'access_denied' || reason === 'invalid_scope') {
    return `in the Admin console under Security > Access and data control > API controls > Domain-wide delegation, add ${scopes[scope]} to the client ID of ${clientEmail}`;
  }
  if (reason === 'invalid_grant') {
    return `check that ${subject} is an active user, that the key of ${clientEmail} was not deleted, and this machine’s clock`;
  }
  if (reason === 'accessNotConfigured') {
    return `enable the Admin SDK API in the Google Cloud project of ${clientEmail}`;
  }
  if (reason === 'insufficientPermissions')
    return `the token lacks ${scopes[scope]}: add it to the domain-wide delegation`;
  if (status === 403) return `give ${subject} an administrator role with the privilege ${privileges[scope]}`;
  if (status === 400 || status === 404) return 'check customer and domain of this source';
  return 'check clientEmail, privateKey and subject, and whether Google can be reached from here';
}
