import { error, paged, type Route } from './routes.js';

// Dropped from the newest specification, still served; or gone (sendgrid.md §5).

export const accessRequestRoutes: Route[] = [
  {
    method: 'GET',
    path: '/v3/scopes/requests',
    run: (account, { query }) =>
      account.accessRequests === null
        ? error(404, 'not found')
        : paged(query, 50, [...account.accessRequests.values()], (page) => page),
  },
  {
    method: 'DELETE',
    path: '/v3/scopes/requests/{request_id}',
    run: (account, _request, { request_id = '' }) =>
      account.accessRequests?.delete(Number(request_id))
        ? { status: 204, applied: true }
        : error(404, 'Cannot find request', 'request_id'),
  },
  {
    method: 'PATCH',
    path: '/v3/scopes/requests/{request_id}/approve',
    run(account, _request, { request_id = '' }) {
      const request = account.accessRequests?.get(Number(request_id));
      if (request === undefined) return error(404, 'Cannot find request', 'request_id');
      account.accessRequests?.delete(request.id);
      return { status: 200, body: { scope_group_name: request.scope_group_name }, applied: true };
    },
  },
];
