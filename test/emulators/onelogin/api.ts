import type { Answer, Request } from '../http.js';
import type { OneLoginWorld } from './world.js';

// The part of OneLogin's API that Sendoff reads, both versions of it: envelopes, cursors, limits and errors as the real
// one (idp-events.md §4.3).

const perHour = 5_000;

export function route(request: Request, world: OneLoginWorld): Answer {
  const [, api, version, noun, id, sub] = request.path.split('/').map(decodeURIComponent);
  if (api !== 'api' || request.method !== 'GET') return notFound2();
  if (version === '1' && noun === 'events') return id === 'types' ? eventTypes(world) : events(request, world);
  if (version === '1' && noun === 'groups') return enveloped(request, [...world.groups].map(named), 50);
  if (version !== '2') return notFound1();
  if (noun === 'users') return users(request, world, id, sub);
  if (noun === 'roles') return roles(request, world, id, sub);
  if (noun === 'apps' && id !== undefined) return apps(request, world, Number(id), sub);
  return notFound2();
}

function users(request: Request, world: OneLoginWorld, id: string | undefined, sub: string | undefined): Answer {
  const all = [...world.users.values()].sort((a, b) => a.id - b.id);
  if (id === undefined) {
    const filters = ['email', 'username'] as const;
    const fitting = all.filter((user) =>
      filters.every((field) => {
        const wanted = request.query.get(field);
        return wanted === null || user[field]?.toLowerCase() === wanted.toLowerCase();
      }),
    );
    // The list leaves out what only one user gives.
    return paged(
      request,
      fitting.map(({ roles: _, apps: __, ...user }) => user),
      100,
    );
  }
  const user = world.users.get(Number(id));
  if (user === undefined) return notFound2();
  const { roles: inRoles, apps: assigned, ...rest } = user;
  if (sub === undefined) {
    return { status: 200, body: { ...rest, ...(world.rolesInUser ? { role_ids: [...inRoles] } : {}) } };
  }
  if (sub === 'apps') {
    const shown = [...assigned].filter(
      (app) => !world.hiddenApps.has(app) || request.query.get('ignore_visibility') === 'true',
    );
    return { status: 200, body: shown.map((app) => ({ id: app, name: 'SendGrid', provisioning_enabled: false })) };
  }
  if (sub === 'roles' && !world.rolesInUser) return { status: 200, body: [...inRoles] };
  return notFound2();
}

function roles(request: Request, world: OneLoginWorld, id: string | undefined, sub: string | undefined): Answer {
  if (id === undefined) return paged(request, [...world.roles].map(named), 650);
  if (!world.roles.has(Number(id)) || sub !== 'users') return notFound2();
  const members = [...world.users.values()].filter((user) => user.roles.has(Number(id)));
  return paged(
    request,
    members.map(({ id: user, username }) => ({ id: user, username, assigned: true })),
    100,
  );
}

function apps(request: Request, world: OneLoginWorld, id: number, sub: string | undefined): Answer {
  if (!world.apps.has(id)) return notFound2();
  if (sub === undefined) return { status: 200, body: { id, name: 'SendGrid', visible: true } };
  const assigned = [...world.users.values()].filter((user) => user.apps.has(id));
  return paged(
    request,
    assigned.map(({ id: user, email }) => ({ id: user, email })),
    100,
  );
}

function events(request: Request, world: OneLoginWorld): Answer {
  const { query } = request;
  const since = Date.parse(query.get('since') ?? '1970-01-01T00:00:00Z');
  const types = query.get('event_type_id')?.split(',').map(Number);
  const fitting = world.events.filter(
    (event) => Date.parse(event.created_at) >= since && (types === undefined || types.includes(event.event_type_id)),
  );
  const ordered = [...fitting].sort((a, b) => (query.get('sort') === '+id' ? a.id - b.id : b.id - a.id));
  return enveloped(request, ordered, 50);
}

function eventTypes(world: OneLoginWorld): Answer {
  const data = [...world.eventTypes].map(([id, name]) => ({ id, name, description: name }));
  return { status: 200, body: { status: success, data } };
}

/** Version 1: everything in an envelope, the cursor with it. */
function enveloped({ query }: Request, items: unknown[], most: number): Answer {
  const limit = Math.min(Number(query.get('limit') ?? most), most);
  const from = Number(Buffer.from(query.get('after_cursor') ?? '', 'base64').toString() || 0);
  const more = from + limit < items.length;
  const after_cursor = more ? Buffer.from(String(from + limit)).toString('base64') : null;
  return {
    status: 200,
    body: { status: success, pagination: { before_cursor: null, after_cursor }, data: items.slice(from, from + limit) },
  };
}

/** Version 2: a plain array, the cursor in a header. */
function paged({ query }: Request, items: unknown[], most: number): Answer {
  const limit = Math.min(Number(query.get('limit') ?? most), most);
  const cursor = new URLSearchParams(Buffer.from(query.get('cursor') ?? '', 'base64').toString());
  const page = Number(cursor.get('page') ?? query.get('page') ?? 1);
  const pages = Math.max(Math.ceil(items.length / limit), 1);
  const after = Buffer.from(`limit=${limit}&page=${page + 1}`).toString('base64');
  return {
    status: 200,
    body: items.slice((page - 1) * limit, page * limit),
    headers: {
      'current-page': String(page),
      'total-pages': String(pages),
      'total-count': String(items.length),
      ...(page < pages ? { 'after-cursor': after } : {}),
    },
  };
}

export function tooMany(seconds: number): Answer {
  return {
    status: 429,
    body: { status: { error: true, code: 429, type: 'too many requests', message: 'Rate limit exceeded' } },
    headers: {
      'x-ratelimit-limit': String(perHour),
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(seconds),
    },
  };
}

export function unauthorized(): Answer {
  return { status: 401, body: { message: 'Unauthorized', statusCode: 401, name: 'UnauthorizedError' } };
}

const success = { error: false, code: 200, type: 'success', message: 'Success' };

function notFound1(): Answer {
  return { status: 404, body: { status: { error: true, code: 404, type: 'not found', message: 'Not Found' } } };
}

function notFound2(): Answer {
  const message = 'The resource with the given id could not be found';
  return { status: 404, body: { message, statusCode: 404, name: 'NotFoundError' } };
}

function named([name, id]: [number, string]): { id: number; name: string } {
  return { id: name, name: id };
}
