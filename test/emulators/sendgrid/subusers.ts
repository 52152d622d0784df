import { paged, type Route } from './routes.js';

/** Undeclared in the specification (sendgrid.md §2, pagination): small, so that who names no limit notices. */
const defaultLimit = 50;

export const subuserRoutes: Route[] = [
  {
    method: 'GET',
    path: '/v3/subusers',
    run(account, { query }) {
      const name = query.get('username');
      const wanted = account.subusers.filter((one) => name === null || one.username === name);
      return paged(query, defaultLimit, wanted, (page) => page);
    },
  },
];
