// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is the syntax of the file
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from './load.js';

const env = {
  OKTA_TOKEN: 'okta-token-00000001',
  HOOK: 'hook-secret-00000001',
  SG_KEY: 'SG.key-000000000001',
  EMPTY: '',
};

/** A valid file; a case replaces one of its lines, or adds lines at the end. */
const valid = `version: 1
authority: okta
sources:
  okta:
    type: okta
    orgUrl: https://acme.okta.com
    token: \${OKTA_TOKEN}
    hookSecret: \${HOOK}
accounts:
  marketing:
    apiKey: \${SG_KEY}
`;

let folder: string;
const home = process.cwd();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sendoff-config-'));
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

function load(text: string | Buffer, more: NodeJS.ProcessEnv = {}) {
  writeFileSync('sendoff.yaml', text);
  return loadConfig({ env: { ...env, ...more } });
}

function linesOf(text: string | Buffer, more: NodeJS.ProcessEnv = {}): string[] {
  try {
    load(text, more);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
  return [];
}

const replaced = (from: string, to: string) => {
  if (!valid.includes(from)) throw new Error(`the valid file has no ${from}`);
  return valid.replace(from, to);
};

describe('a valid file', () => {
  it('gets every default that the design promises', () => {
    expect(load(valid).config).toEqual({
      version: 1,
      authority: ['okta'],
      sources: {
        okta: {
          type: 'okta',
          orgUrl: 'https://acme.okta.com',
          token: env.OKTA_TOKEN,
          hookSecret: [env.HOOK],
          poll: 60_000,
        },
      },
      accounts: {
        marketing: {
          apiKey: env.SG_KEY,
          baseUrl: 'https://api.sendgrid.com',
          mode: 'observe',
          sso: true,
          identity: '{email}',
          subusers: 'all',
        },
      },
      targets: {},
      roles: {},
      grants: [],
      offboarding: {
        terminated: 'delete',
        suspended: 'restrict',
        restrictTo: ['user.profile.read'],
        unassigned: 'delete',
        grace: 0,
        recheck: 300_000,
        successor: 'manager',
        successors: [],
        reassign: ['verified_senders', 'senders', 'alerts', 'forward_bounce', 'forward_spam'],
        apiKeys: { match: '^{local}[-_. ]', action: 'report', registered: 'revoke' },
      },
      provisioning: { create: false, rescope: true, rename: true },
      protect: [],
      limits: { removals: { floor: 3, share: 0.05, max: 20, window: 86_400_000 }, runShare: 0.2, admins: 2 },
      approvals: { approvers: [], expire: 86_400_000 },
      reconcile: { every: 3_600_000, orphans: 'report' },
      sla: { deprovision: 900_000 },
      notifications: {},
    });
  });

  it('may hold every key of the design', () => {
    const { config } = load(`version: 1
authority: okta
sources:
  okta:
    type: okta
    orgUrl: https://acme.okta.com
    token: \${OKTA_TOKEN}
    hookSecret: \${HOOK}
    app: 0oa1sendgrid
    poll: 60s
accounts:
  marketing:
    apiKey: \${SG_KEY}
    baseUrl: https://api.eu.sendgrid.com/
    mode: enforce
    sso: true
    identity: "{local}+mkt@{domain}"
    subusers: all
roles:
  marketer: { persona: marketer }
  developer: { scopes: [mail.send, templates.read] }
  brand-eu: { subusers: { brand-eu: { permission: restricted, scopes: [stats.read] } } }
  admin: { admin: true }
grants:
  - { group: SendGrid Marketers, account: marketing, role: marketer }
offboarding:
  terminated: delete
  suspended: restrict
  restrictTo: [user.profile.read]
  unassigned: delete
  grace: 72h
  recheck: 10m
  successor: manager
  successors:
    - { group: Marketing, successor: head@acme.com }
  reassign: [verified_senders, senders, alerts, forward_bounce, forward_spam, address_whitelist]
  apiKeys: { match: "^{local}[-_. ]", action: report, registered: successor }
provisioning: { create: false, rescope: true, rename: true }
protect: [owner@acme.com, acme-owner]
limits:
  removals: { floor: 3, share: 0.05, max: 20, window: 24h }
  admins: 2
  runShare: 0.1
approvals: { approvers: [ada, grace], expire: 2h }
reconcile: { every: 1h, orphans: report }
sla: { deprovision: 15m }
`);
    expect(config.accounts.marketing).toMatchObject({ baseUrl: 'https://api.eu.sendgrid.com', mode: 'enforce' });
    expect(config.protect).toEqual(['owner@acme.com', 'acme-owner']);
    expect(config.offboarding).toMatchObject({
      grace: 259_200_000,
      recheck: 600_000,
      successors: [{ group: 'Marketing', successor: 'head@acme.com' }],
      apiKeys: { registered: 'successor' },
    });
    expect(config.limits.runShare).toBe(0.1);
    expect(config.approvals).toEqual({ approvers: ['ada', 'grace'], expire: 7_200_000 });
  });

  it('takes a service app instead of a token, and brings its key back onto several lines', () => {
    const { config } = load(replaced('token: ${OKTA_TOKEN}', 'clientId: 0oa1\n    privateKey: ${PEM}\n    keyId: k1'), {
      PEM: '-----BEGIN PRIVATE KEY-----\\nabc\\n-----END PRIVATE KEY-----\\n',
    });
    expect(config.sources.okta).toMatchObject({
      clientId: '0oa1',
      privateKey: '-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n',
      keyId: 'k1',
    });
  });

  it('takes two hook secrets while they rotate, and "off" for poll with or without quotes', () => {
    for (const off of ['off', '"off"']) {
      const { config } = load(
        replaced('hookSecret: ${HOOK}', `hookSecret: [\${HOOK}, an-older-hook-secret]\n    poll: ${off}`),
      );
      expect(config.sources.okta).toMatchObject({ hookSecret: [env.HOOK, 'an-older-hook-secret'], poll: null });
    }
  });

  it('may use anchors', () => {
    const { config } = load(`${valid}roles:\n  a: { scopes: &read [stats.read] }\n  b: { scopes: *read }\n`);
    expect(config.roles.b).toEqual({ scopes: ['stats.read'] });
  });

  it('may point at this machine under SENDOFF_ENV=test', () => {
    const { config } = load(
      valid
        .replace('https://acme.okta.com', 'http://127.0.0.1:4010')
        .replace('apiKey', 'baseUrl: http://localhost:4020\n    apiKey'),
      { SENDOFF_ENV: 'test' },
    );
    expect(config.sources.okta).toMatchObject({ orgUrl: 'http://127.0.0.1:4010' });
    expect(config.accounts.marketing?.baseUrl).toBe('http://localhost:4020');
  });

  it('is found by path, then SENDOFF_CONFIG, then its usual name', () => {
    writeFileSync('other.yaml', valid);
    writeFileSync('sendoff.yaml', valid);
    expect(loadConfig({ path: 'other.yaml', env: { ...env, SENDOFF_CONFIG: 'absent.yaml' } }).path).toBe('other.yaml');
    expect(loadConfig({ env: { ...env, SENDOFF_CONFIG: 'other.yaml' } }).path).toBe('other.yaml');
    expect(loadConfig({ path: undefined, env }).path).toBe('sendoff.yaml');
  });

  it('may begin with a byte order mark and end its lines as Windows does', () => {
    expect(load(`\ufeff${valid.replaceAll('\n', '\r\n')}`).config.authority).toEqual(['okta']);
  });

  it('is the example that operators copy', () => {
    const { config } = loadConfig({
      path: join(home, 'sendoff.example.yaml'),
      env: { OKTA_API_TOKEN: env.OKTA_TOKEN, OKTA_HOOK_SECRET: env.HOOK, SENDGRID_MARKETING_KEY: env.SG_KEY },
    });
    expect(config).toEqual(load(valid).config);
  });
});

describe('the environment in the file', () => {
  it('goes into any text, also in the middle, and can be escaped', () => {
    const { config } = load(
      `${valid}grants:\n  - { group: "a \${TEAM} $\${TEAM} $5", account: marketing, role: r }\nroles: { r: { admin: true } }\n`,
      {
        TEAM: 'blue',
      },
    );
    expect(config.grants[0]?.group).toBe('a blue ${TEAM} $5');
  });

  it('cannot bring structure along', () => {
    const { config } = load(`${valid}protect: ["\${WHO}"]\n`, { WHO: 'a]\nmode:enforce@x.y'.replace(/\s/, '') });
    expect(config.protect).toEqual(['a]mode:enforce@x.y']);
  });
});

describe('secrets', () => {
  it('are what came from the environment and what sits in secret fields, but not short words of other fields', () => {
    const text = replaced('token: ${OKTA_TOKEN}', 'token: typed-into-the-file').replace(
      'apiKey',
      'mode: ${MODE}\n    apiKey',
    );
    const { secrets } = load(`${text}protect: ["\${OWNER}"]\n`, { MODE: 'enforce', OWNER: 'owner@acme.com' });
    expect(secrets.sort()).toEqual([env.SG_KEY, env.HOOK, 'owner@acme.com', 'typed-into-the-file'].sort());
  });

  it('never show in an error, wherever they were put', () => {
    const secret = 'SG.abcdefghijklmnop.qrstuvwxyz0123456789';
    const texts = [
      `${valid}mode: \${SECRET}\n`,
      `${valid}limits: \${SECRET}\n`,
      `${valid}limits: { admins: \${SECRET} }\n`,
      `${valid}reconcile: { every: \${SECRET}, orphans: \${SECRET} }\n`,
      `${valid}protect: ["@\${SECRET}"]\n`,
      replaced('authority: okta', 'authority: ${SECRET}'),
      replaced('type: okta', 'type: ${SECRET}'),
      replaced('https://acme.okta.com', 'https://user:${SECRET}@acme.okta.com'),
      replaced('apiKey: ${SG_KEY}', `apiKey:${secret}`),
      replaced('apiKey: ${SG_KEY}', `apiKey:${secret}\n    mode: enforce`),
      replaced('apiKey: ${SG_KEY}', `apiKey: "${secret}\\q"`),
      replaced('apiKey: ${SG_KEY}', `apiKey: *${secret}`),
      replaced('apiKey: ${SG_KEY}', `apiKey: !${secret} x`),
      replaced('apiKey: ${SG_KEY}', `${secret}: apiKey`),
    ];
    for (const text of texts) {
      const lines = linesOf(text, { SECRET: secret });
      expect(lines.length, text).toBeGreaterThan(0);
      expect(lines.join('\n')).not.toContain('abcdefghijklmnop');
    }
  });
});

describe('a mistake is one line with place, key and remedy', () => {
  const okta = 'type: okta';
  const key = 'apiKey: ${SG_KEY}';
  const cases: [what: string, text: string, lines: string[]][] = [
    [
      'misspelt mode',
      replaced(key, `${key}\n    mode: enforced`),
      ['12:5 accounts.marketing.mode: is none of observe, approve, enforce (did you mean enforce?)'],
    ],
    [
      'foreign mode',
      replaced(key, `${key}\n    mode: quick`),
      ['12:5 accounts.marketing.mode: is none of observe, approve, enforce (write one of them)'],
    ],
    ['unknown top key', `${valid}grant: []\n`, ['12:1 grant: there is no such key (did you mean grants?)']],
    [
      'unknown account key',
      replaced(key, `${key}\n    subuser: all`),
      ['12:5 accounts.marketing.subuser: there is no such key (did you mean subusers?)'],
    ],
    [
      'unknown source key',
      replaced(okta, `${okta}\n    pol: 60s`),
      ['6:5 sources.okta.pol: there is no such key (did you mean poll?)'],
    ],
    [
      'key of another section',
      `${valid}restrictTo: [stats.read]\n`,
      ['12:1 restrictTo: there is no such key (it belongs to offboarding)'],
    ],
    [
      'key of several others',
      `${valid}scopes: [stats.read]\n`,
      ['12:1 scopes: there is no such key (it belongs to roles.<name> or roles.<name>.subusers.<name>)'],
    ],
    ['key of nothing', `${valid}colour: blue\n`, ['12:1 colour: there is no such key (remove it)']],
    [
      'merge key',
      replaced(key, `<<: { mode: enforce }\n    ${key}`),
      ['11:5 accounts.marketing.<<: there is no such key (remove it)'],
    ],
    [
      'prototype',
      `${valid}__proto__: { a: 1 }\n`,
      ['12:1 YAML: this can be no key (write a plain name before the colon)'],
    ],
    ['other version', replaced('version: 1', 'version: 2'), ['1:1 version: must be 1 (write 1)']],
    ['no version', replaced('version: 1\n', ''), ['1:1 version: is missing (add it at the top level)']],
    [
      'no key',
      replaced(key, 'mode: enforce'),
      ['10:3 accounts.marketing.apiKey: is missing (add it under accounts.marketing)'],
    ],
    [
      'no accounts',
      valid.replace(/accounts:[\s\S]*/, 'accounts: {}\n'),
      ['9:1 accounts: names no account (add one; sendoff.example.yaml shows how)'],
    ],
    [
      'nothing behind the colon',
      valid.replace(/accounts:[\s\S]*/, 'accounts:\n'),
      ['9:1 accounts: has no value (write one behind the colon, or remove the key)'],
    ],
    [
      'no sources',
      valid.replace(/sources:[\s\S]*accounts/, 'sources: {}\naccounts'),
      [
        '2:1 authority: names no source of this file (there is none)',
        '3:1 sources: names no source (add one; sendoff.example.yaml shows how)',
      ],
    ],
    [
      'authority',
      replaced('authority: okta', 'authority: octa'),
      ['2:1 authority: names no source of this file (did you mean okta?)'],
    ],
    [
      'a list of authorities with one that is no source',
      replaced('authority: okta', 'authority: [okta, okto]'),
      ['2:19 authority.1: names no source of this file (did you mean okta?)'],
    ],
    [
      'an empty list of authorities',
      replaced('authority: okta', 'authority: []'),
      ['2:1 authority: is an empty list (name at least one source)'],
    ],
    [
      'a source with a name that Sendoff uses itself',
      replaced('authority: okta', 'authority: reconcile').replace('  okta:', '  reconcile:'),
      ['4:3 sources.reconcile: is a name that Sendoff uses itself (choose another)'],
    ],
    [
      'a public address with a path',
      replaced('authority: okta', 'publicUrl: https://acme.com/sendoff\nauthority: okta'),
      ['2:1 publicUrl: is no address of this service (write https:// and the host name: https://sendoff.acme.com)'],
    ],
    [
      'inherited name',
      replaced('authority: okta', 'authority: constructor'),
      ['2:1 authority: names no source of this file (there is okta)'],
    ],
    [
      'bad name',
      replaced('  marketing:', '  Marketing_EU:'),
      [
        '10:3 accounts.Marketing_EU: is no name (lower-case letters, digits and dashes, beginning with a letter or digit)',
      ],
    ],
    [
      'unknown source type',
      replaced(okta, 'type: ldap'),
      ['5:5 sources.okta.type: is none of okta, entra, google, onelogin, duo, ssf, webhook, file (write one of them)'],
    ],
    [
      'no source type',
      replaced('    type: okta\n', ''),
      ['4:3 sources.okta.type: is missing (add it under sources.okta)'],
    ],
    [
      'http org',
      replaced('https://acme', 'http://acme'),
      [
        '6:5 sources.okta.orgUrl: is no Okta org (write https:// and the host name, nothing else: https://acme.okta.com)',
      ],
    ],
    [
      'org with a path',
      replaced('acme.okta.com', 'acme.okta.com/admin'),
      [
        '6:5 sources.okta.orgUrl: is no Okta org (write https:// and the host name, nothing else: https://acme.okta.com)',
      ],
    ],
    [
      'admin console',
      replaced('acme.okta.com', 'acme-admin.okta.com'),
      ['6:5 sources.okta.orgUrl: is the address of the admin console (leave out -admin)'],
    ],
    [
      'org on this machine',
      replaced('https://acme.okta.com', 'http://127.0.0.1:1'),
      [
        '6:5 sources.okta.orgUrl: plain http to this machine is for tests only (write https://…, or set SENDOFF_ENV=test)',
      ],
    ],
    [
      'no credentials',
      replaced('    token: ${OKTA_TOKEN}\n', ''),
      ['4:3 sources.okta: has no credentials (add token, or clientId and privateKey)'],
    ],
    [
      'both credentials',
      replaced('token:', 'clientId: c\n    token:'),
      ['7:5 sources.okta.clientId: does not go with token (keep either token, or clientId and privateKey)'],
    ],
    [
      'half a service app',
      replaced('token: ${OKTA_TOKEN}', 'clientId: c'),
      ['4:3 sources.okta.privateKey: is missing (add it under sources.okta: clientId and privateKey go together)'],
    ],
    [
      'empty hook secret',
      replaced('${HOOK}', '""'),
      ['8:5 sources.okta.hookSecret: is empty (give it its secret: an empty one would let everybody in, or nobody)'],
    ],
    [
      'empty among hook secrets',
      replaced('${HOOK}', '[a-hook-secret-of-20, ""]'),
      ['8:39 sources.okta.hookSecret.1: is empty (give it its secret: an empty one would let everybody in, or nobody)'],
    ],
    [
      'no hook secrets',
      replaced('${HOOK}', '[]'),
      ['8:5 sources.okta.hookSecret: is an empty list (give at least one secret)'],
    ],
    [
      'three hook secrets',
      replaced('${HOOK}', '[a, b, c]'),
      [
        '8:5 sources.okta.hookSecret: is neither a secret nor a list of two (write one text, or a list of two while rotating)',
      ],
    ],
    [
      'hook secret with a line break',
      replaced('${HOOK}', '"abc\\n"'),
      [
        '8:5 sources.okta.hookSecret: begins or ends with a blank, or holds a line break or control character (remove it)',
      ],
    ],
    ['short poll', replaced(okta, `${okta}\n    poll: 0s`), ['6:5 sources.okta.poll: is too short (at least 1s)']],
    [
      'poll without unit',
      replaced(okta, `${okta}\n    poll: 60`),
      ['6:5 sources.okta.poll: is no duration (write 60s or longer, or "off")'],
    ],
    [
      'foreign host',
      replaced(key, `${key}\n    baseUrl: https://api.sendgrid.com.evil.example`),
      [
        '12:5 accounts.marketing.baseUrl: is no address of SendGrid (write https://api.sendgrid.com or, for the EU, https://api.eu.sendgrid.com)',
      ],
    ],
    [
      'base URL on this machine',
      replaced(key, `${key}\n    baseUrl: http://localhost:1`),
      [
        '12:5 accounts.marketing.baseUrl: plain http to this machine is for tests only (write https://…, or set SENDOFF_ENV=test)',
      ],
    ],
    [
      'identity',
      replaced(key, `${key}\n    identity: "{user}@acme.com"`),
      [
        '12:5 accounts.marketing.identity: is no address template (use {email}, {local} and {domain} only, such as "{local}+mkt@{domain}")',
      ],
    ],
    [
      'one identity for all',
      replaced(key, `${key}\n    identity: "team@{domain}"`),
      [
        '12:5 accounts.marketing.identity: is no address template (use {email}, {local} and {domain} only, such as "{local}+mkt@{domain}")',
      ],
    ],
    [
      'subusers',
      replaced(key, `${key}\n    subusers: some`),
      [
        '12:5 accounts.marketing.subusers: is none of all, none and a list (write all, none, or a list of subuser names)',
      ],
    ],
    [
      'sso',
      replaced(key, `${key}\n    sso: "yes"`),
      [
        '12:5 accounts.marketing.sso: should be true or false, not a text (correct it; sendoff.example.yaml shows every key)',
      ],
    ],
    [
      'two forms of a role',
      `${valid}roles: { r: { persona: marketer, admin: true } }\n`,
      [
        '12:10 roles.r: has persona and admin, which exclude one another (write exactly one of persona, scopes, subusers, admin)',
      ],
    ],
    [
      'no form of a role',
      `${valid}roles: { r: {} }\n`,
      ['12:10 roles.r: gives no access (write exactly one of persona, scopes, subusers, admin)'],
    ],
    [
      'misspelt form',
      `${valid}roles: { r: { personna: marketer } }\n`,
      ['12:15 roles.r.personna: there is no such key (did you mean persona?)'],
    ],
    ['not an admin', `${valid}roles: { r: { admin: false } }\n`, ['12:15 roles.r.admin: must be true (write true)']],
    [
      'scopes for a subuser admin',
      `${valid}roles: { r: { subusers: { b: { permission: admin, scopes: [stats.read] } } } }\n`,
      [
        '12:51 roles.r.subusers.b.scopes: does not go with permission: admin, which is everything (remove it, or write permission: restricted)',
      ],
    ],
    [
      'no scopes for a restricted subuser',
      `${valid}roles: { r: { subusers: { b: { permission: restricted } } } }\n`,
      ['12:27 roles.r.subusers.b.scopes: is missing (add it: permission: restricted needs scopes)'],
    ],
    [
      'managed scope',
      `${valid}roles: { r: { scopes: [2fa_required] } }\n`,
      ['12:24 roles.r.scopes.0: is a scope that SendGrid sets by itself (remove it)'],
    ],
    [
      'grant to nowhere',
      `${valid}grants: [{ group: G, account: marketin, role: r }]\n`,
      [
        '12:22 grants.0.account: names no account of this file (did you mean marketing?)',
        '12:41 grants.0.role: names no role of this file (there is none)',
      ],
    ],
    [
      'nothing left to a restricted person',
      `${valid}offboarding: { restrictTo: [] }\n`,
      ['12:16 offboarding.restrictTo: is an empty list (name at least one scope: SendGrid takes no empty list)'],
    ],
    [
      'grace without unit',
      `${valid}offboarding: { grace: 3 }\n`,
      ['12:16 offboarding.grace: is no duration (write a number and a unit, such as 60s, 15m, 24h or 7d)'],
    ],
    [
      'treatment',
      `${valid}offboarding: { terminated: remove }\n`,
      ['12:16 offboarding.terminated: is none of delete, restrict, keep (write one of them)'],
    ],
    [
      'successor',
      `${valid}offboarding: { successor: boss }\n`,
      ['12:16 offboarding.successor: is none of manager, none and an e-mail address (write one of them)'],
    ],
    [
      'nobody as the successor of a group',
      `${valid}offboarding: { successors: [{ group: "", successor: manager }] }\n`,
      [
        '12:31 offboarding.successors.0.group: is empty (write the group’s name in the directory)',
        '12:42 offboarding.successors.0.successor: is no e-mail address (write one)',
      ],
    ],
    [
      'registered keys',
      `${valid}offboarding: { apiKeys: { registered: hand-over } }\n`,
      ['12:27 offboarding.apiKeys.registered: is none of revoke, successor (write one of them)'],
    ],
    [
      'recheck without unit',
      `${valid}offboarding: { recheck: 5 }\n`,
      ['12:16 offboarding.recheck: is no duration (write a number and a unit, such as 60s, 15m, 24h or 7d)'],
    ],
    [
      'approvals',
      `${valid}approvals: { approvers: [""], expire: 5s }\n`,
      [
        '12:26 approvals.approvers.0: is empty (write the name of an operator)',
        '12:31 approvals.expire: is too short (at least 1m)',
      ],
    ],
    [
      'reassign',
      `${valid}offboarding: { reassign: [sender] }\n`,
      [
        '12:27 offboarding.reassign.0: is none of verified_senders, senders, alerts, forward_bounce, forward_spam, address_whitelist (did you mean senders?)',
      ],
    ],
    [
      'broken pattern',
      `${valid}offboarding: { apiKeys: { match: "^{local}[" } }\n`,
      [
        '12:27 offboarding.apiKeys.match: is no regular expression (mind brackets and backslashes; {local} stands for the part before the @)',
      ],
    ],
    [
      'protect',
      `${valid}protect: [owner@acme]\n`,
      ['12:11 protect.0: is neither an e-mail address nor a username (write it in full)'],
    ],
    [
      'limits',
      `${valid}limits: { admins: -1, removals: { share: 5, floor: 1.5 }, runShare: 20 }\n`,
      [
        '12:11 limits.admins: is below 0 (write 0 or more)',
        '12:35 limits.removals.share: is no share (write a number from 0 to 1)',
        '12:45 limits.removals.floor: should be a whole number, not a number (correct it; sendoff.example.yaml shows every key)',
        '12:59 limits.runShare: is no share (write a number from 0 to 1)',
      ],
    ],
    [
      'unset variable',
      replaced('${OKTA_TOKEN}', '${OKTA_TOKN}'),
      ['7:5 sources.okta.token: ${OKTA_TOKN} is not set in the environment (set OKTA_TOKN)'],
    ],
    [
      'unset variable in a list',
      replaced('${HOOK}', '[${HOOK}, ${OLD_HOOK}]'),
      ['8:27 sources.okta.hookSecret.1: ${OLD_HOOK} is not set in the environment (set OLD_HOOK)'],
    ],
    [
      'empty variable',
      replaced('${OKTA_TOKEN}', '${EMPTY}'),
      ['7:5 sources.okta.token: ${EMPTY} is empty in the environment (set EMPTY to the secret)'],
    ],
    [
      'empty part of a secret',
      replaced('${HOOK}', 'Bearer ${EMPTY}'),
      ['8:5 sources.okta.hookSecret: ${EMPTY} is empty in the environment (set EMPTY to the secret)'],
    ],
    [
      'variable with a default',
      replaced('${OKTA_TOKEN}', '${TOKEN:-x}'),
      [
        '7:5 sources.okta.token: holds ${ without the name of an environment variable behind it (write ${NAME}, or $${ for the characters themselves)',
      ],
    ],
    [
      'open variable',
      replaced('${OKTA_TOKEN}', '"${TOKEN"'),
      [
        '7:5 sources.okta.token: holds ${ without the name of an environment variable behind it (write ${NAME}, or $${ for the characters themselves)',
      ],
    ],
    ['key twice', `${valid}authority: okta\n`, ['12:1 YAML: this key is there twice (remove one of the two)']],
    ['tab', replaced('  okta:', '\tokta:'), ['4:1 YAML: a tab cannot indent (use blanks)']],
    [
      'open bracket',
      `${valid}protect: [a\n`,
      ['13:1 YAML: cannot be read from here: bad indent (mind indentation, quotes and brackets)'],
    ],
    ['second document', `${valid}---\na: 1\n`, ['12:1 YAML: a second document begins (remove the line ---)']],
    ['tag', `${valid}protect: !env X\n`, ['12:10 YAML: tags such as !name are not known (remove it)']],
    [
      'alias to nowhere',
      `${valid}protect: *nobody\n`,
      ['12:10 YAML: an alias that leads nowhere, to itself or to too much (write the value out)'],
    ],
    [
      'alias to itself',
      `${valid}protect: &a [*a]\n`,
      ['12:14 YAML: an alias that leads nowhere, to itself or to too much (write the value out)'],
    ],
    ['odd key', `${valid}{ a: b }: c\n`, ['12:1 YAML: this can be no key (write a plain name before the colon)']],
    [
      'a list',
      '- a\n',
      ['1:1 should be a group of keys, not a list (correct it; sendoff.example.yaml shows every key)'],
    ],
    ['nothing', '', ['1:1 the file is empty (copy sendoff.example.yaml)']],
    [
      'nested too deeply',
      `a: ${'['.repeat(50_000)}`,
      ['1:1 YAML: is nested too deeply (sendoff.example.yaml shows every key)'],
    ],
    [
      'nested too deeply by dashes',
      '- '.repeat(50_000),
      ['1:1 YAML: is nested too deeply (sendoff.example.yaml shows every key)'],
    ],
    ['too large', `${valid}${'# '.padEnd(300_000, 'x')}\n`, ['1:1 is larger than 256 KiB (name the right file)']],
  ];

  it.each(cases)('%s', (_what, text, lines) => {
    expect(linesOf(text)).toEqual(lines.map((line) => `sendoff.yaml:${line}`));
  });

  it('a role with a scope that SendGrid does not have names the nearest that it has', () => {
    const roles = `roles:
  plain: { scopes: [stats.read, mail.sent] }
  inside: { subusers: { brand-eu: { permission: restricted, scopes: [template.read] } } }
  fine: { scopes: [mail.send, templates.read] }
`;
    expect(linesOf(valid + roles)).toEqual([
      expect.stringMatching(/^sendoff\.yaml:13:33 roles\.plain\.scopes\.1: .*did you mean mail\.send\?/),
      expect.stringMatching(
        /^sendoff\.yaml:14:70 roles\.inside\.subusers\.brand-eu\.scopes\.0: .*did you mean templates\.read\?/,
      ),
    ]);
  });

  it('bomb of aliases', () => {
    const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 9; i += 1)
      bomb.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    expect(linesOf(`${valid}${bomb.join('\n')}\n`)).toEqual([
      'sendoff.yaml:13:10 YAML: an alias that leads nowhere, to itself or to too much (write the value out)',
    ]);
  });

  it('no text', () => {
    expect(linesOf(Buffer.from([0x61, 0xff, 0xfe]))).toEqual(['sendoff.yaml:1:1 is not UTF-8 text (save it as UTF-8)']);
  });

  it('no file, or a folder', () => {
    const lines = (path: string) => {
      try {
        loadConfig({ path, env });
        return [];
      } catch (error) {
        return (error as ConfigError).lines;
      }
    };
    expect(lines('absent.yaml')).toEqual([
      'absent.yaml:1:1 there is no such file (copy sendoff.example.yaml to absent.yaml, or name yours by --config or SENDOFF_CONFIG)',
    ]);
    expect(lines('.')).toEqual(['.:1:1 is a folder (name the file in it)']);
    expect(lines('/dev/zero')).toEqual(['/dev/zero:1:1 is larger than 256 KiB (name the right file)']);
  });

  it('and all of them are reported together, in the order of the file', () => {
    const text = `${replaced('${OKTA_TOKEN}', '${NOPE}').replace('version: 1', 'version: 3')}mood: x\ngrants: [{ group: G, account: nope, role: r }]\n`;
    expect(linesOf(text)).toEqual([
      'sendoff.yaml:1:1 version: must be 1 (write 1)',
      'sendoff.yaml:7:5 sources.okta.token: ${NOPE} is not set in the environment (set NOPE)',
      'sendoff.yaml:12:1 mood: there is no such key (remove it)',
      'sendoff.yaml:13:22 grants.0.account: names no account of this file (there is marketing)',
      'sendoff.yaml:13:37 grants.0.role: names no role of this file (there is none)',
    ]);
  });

  it('stays one line whatever the file holds', () => {
    const [line] = linesOf(`${valid}"a\\nb\\e[31m\\L": 1\n`);
    expect(line).toBe('sendoff.yaml:12:1 a\ufffdb\ufffd[31m\ufffd: there is no such key (remove it)');
  });

  it('is the operator’s to mend', () => {
    expect(() => load('')).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', blame: 'input', name: 'ConfigError' }),
    );
  });
});
