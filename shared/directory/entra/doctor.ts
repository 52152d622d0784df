import { inTurns } from '#shared/in-turns.js';
import { type Check, DirectoryUnavailable } from '../directory.js';
import { graphStatus } from './client.js';
import type { Groups } from './groups.js';
import { parsed, type Tenant } from './person.js';
import { EntraApp, EntraUser } from './schema.js';

/** One request for each permission that is needed, so that the missing one can be named. */
export async function doctor(tenant: Tenant, groups: Groups, wanted: readonly string[]): Promise<Check[]> {
  const { name, config, graph } = tenant;
  const attempt = async (what: string, permission: string, run: () => Promise<string | null>): Promise<Check> => {
    const remedy = `grant the app registration ${config.clientId} the application permission ${permission} of Microsoft Graph, with admin consent`;
    try {
      const problem = await run();
      if (problem === null) return { name: `sources.${name} ${what}`, ok: true, detail: 'can be read', remedy: '' };
      return { name: `sources.${name} ${what}`, ok: false, detail: problem, remedy };
    } catch (error) {
      const { errorCode } = graphStatus(error);
      const detail = error instanceof DirectoryUnavailable ? error.message : String(error);
      const isOurs = errorCode !== null && /^(AADSTS|token)/.test(errorCode);
      return {
        name: `sources.${name} ${what}`,
        ok: false,
        detail,
        remedy: isOurs ? credentialRemedy(name, errorCode) : remedy,
      };
    }
  };
  const readable = async (path: string) => {
    await graph.page(path);
    return null;
  };
  const checks = [
    attempt('users', 'User.Read.All', async () => {
      const { items } = await graph.page('/users?$select=id,accountEnabled&$top=1');
      const hidden = items.some((item) => typeof parsed(name, EntraUser, item).accountEnabled !== 'boolean');
      return hidden ? 'it does not say whether accounts are enabled' : null;
    }),
    attempt('deleted users', 'User.Read.All', () =>
      readable('/directory/deletedItems/microsoft.graph.user?$select=id&$top=1'),
    ),
    attempt('groups', 'Group.Read.All (or GroupMember.Read.All, without notifications about groups)', () =>
      readable('/groups?$select=id,displayName&$top=1'),
    ),
  ];
  const { app } = config;
  if (app !== undefined) {
    const permission = `Application.Read.All (and check sources.${name}.app: the Object ID of the enterprise application)`;
    checks.push(
      attempt(`app ${app}`, permission, async () => {
        const found = await graph.get(`/servicePrincipals/${app}?$select=id,accountEnabled`);
        if (found === null) return 'was not found';
        if (parsed(name, EntraApp, found).accountEnabled === false) return 'is disabled';
        return readable(`/servicePrincipals/${app}/appRoleAssignedTo?$top=1`);
      }),
    );
  }
  const all = await Promise.all([...checks.map(async (check) => [await check]), ambiguous(name, groups, wanted)]);
  return all.flat();
}

/** Names in grants that several groups have; where they can't be looked up, the checks above say why. */
async function ambiguous(name: string, groups: Groups, wanted: readonly string[]): Promise<Check[]> {
  const checks: Check[] = [];
  await inTurns(wanted, 4, async (group) => {
    const ids = await groups.called(group).catch(() => []);
    if (ids.length < 2) return;
    const detail = `${ids.length} groups are called ${group}, so the name counts for nobody`;
    const remedy = `write the id of the one that is meant into grants: ${ids.slice(0, 5).join(', ')}`;
    checks.push({ name: `sources.${name} group ${group}`, ok: false, detail, remedy });
  });
  return checks;
}

/** What the codes of the sign-in service mean, where an administrator can do something about it. */
function credentialRemedy(name: string, errorCode: string): string {
  const remedies: Record<string, string> = {
    AADSTS7000215: `write the secret’s value (not its id) to sources.${name}.clientSecret`,
    AADSTS7000222: `the client secret has expired: make a new one and put it into sources.${name}.clientSecret`,
    AADSTS700027: `upload sources.${name}.certificate to the app registration`,
    AADSTS700016: `check sources.${name}.clientId and tenantId: this tenant has no such app registration`,
    AADSTS90002: `check sources.${name}.tenantId: there is no such tenant in this cloud`,
  };
  return (
    remedies[errorCode] ??
    `check tenantId, clientId and the credentials of sources.${name}, and that its sign-in host is reachable`
  );
}
