import type { OktaSource } from '#shared/config/sources/okta.js';
import { messageOf } from '#shared/errors.js';
import type { Check } from '../directory.js';
import { createOktaClient } from './client.js';

interface Need {
  what: string;
  path: string;
  scope: string;
  /** Who owns a token that may do it. */
  role: string;
  more?: string;
  /** What works without it: then its absence is said, and is no fault. */
  without?: string;
}

/** Can the credentials do what the configuration needs? Each scope by itself, so that the missing one is named. */
export async function doctor(name: string, config: OktaSource): Promise<Check[]> {
  return Promise.all(needsOf(name, config).map((need) => check(name, config, need)));
}

function needsOf(name: string, { app, poll }: OktaSource): Need[] {
  const role = 'the Read-only Administrator role';
  const needs: Need[] = [
    { what: 'users', path: '/api/v1/users?limit=1', scope: 'okta.users.read', role },
    { what: 'groups', path: '/api/v1/groups?limit=1', scope: 'okta.groups.read', role },
  ];
  if (app !== undefined) {
    const path = `/api/v1/apps/${encodeURIComponent(app)}`;
    const more = `, and check sources.${name}.app`;
    needs.push({ what: `app ${app}`, path, scope: 'okta.apps.read', role, more });
  }
  if (poll !== null) {
    const more = `, or set sources.${name}.poll to off and lose what no hook delivers`;
    needs.push({ what: 'System Log', path: '/api/v1/logs?limit=1', scope: 'okta.logs.read', role, more });
  }
  needs.push({
    what: 'event hooks',
    path: '/api/v1/eventHooks',
    scope: 'okta.eventHooks.manage',
    role: 'the Super Administrator role or a custom role with okta.eventhooks.manage',
    without: 'can’t be managed from here: the hook is made and verified by hand',
  });
  return needs;
}

async function check(
  name: string,
  config: OktaSource,
  { what, path, scope, role, more = '', without }: Need,
): Promise<Check> {
  const remedy =
    config.token === undefined
      ? `grant the service app the scope ${scope}, and ${role}${more}`
      : `give the token’s owner ${role}${more}`;
  const said = (ok: boolean, detail: string): Check => {
    return { name: `sources.${name} ${what}`, ok, detail, remedy: ok ? '' : remedy };
  };
  try {
    const found = (await createOktaClient(name, config, { scopes: [scope] }).get(path)) !== null;
    if (found || without === undefined) return said(found, found ? 'can be read' : 'was not found');
    return said(true, `${without}; to change that, ${remedy}`);
  } catch (error) {
    return without === undefined ? said(false, messageOf(error)) : said(true, `${without}; to change that, ${remedy}`);
  }
}
