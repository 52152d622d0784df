import { bodyOf, error, type Route } from './routes.js';
import { known, managed } from './scopes.js';

export const accountRoutes: Route[] = [
  {
    method: 'GET',
    path: '/v3/scopes',
    run(account, { headers }) {
      const key = [...account.apiKeys.values()].find(({ secret }) => headers.authorization === `Bearer ${secret}`);
      const scopes = key === undefined ? (account.keyScopes ?? [...known]) : key.scopes;
      return { status: 200, body: { scopes: account.keyScopes ?? [...scopes, ...managed] } };
    },
  },
  {
    method: 'POST',
    path: '/v3/mail/send',
    run: (_account, request) => {
      const { personalizations, from, content } = bodyOf(request);
      if (!Array.isArray(personalizations) || from === undefined || !Array.isArray(content))
        return error(400, 'personalizations, from and content are required');
      return { status: 202 };
    },
  },
  {
    method: 'GET',
    path: '/v3/user/username',
    run: (account) =>
      account.keyUsername === null
        ? error(403, 'access forbidden')
        : { status: 200, body: { username: account.keyUsername, user_id: 1 } },
  },
  { method: 'GET', path: '/v3/user/account', run: () => ({ status: 200, body: { type: 'paid', reputation: 99.5 } }) },
];
