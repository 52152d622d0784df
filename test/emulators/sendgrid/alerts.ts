import type { Request } from '../http.js';
import type { EmulatedAccount } from './account.js';
import { bodyOf, error, type Route } from './routes.js';

const isAddress = (text: unknown) => typeof text === 'string' && /^[^@\s,]+@[^@\s,]+\.[^@\s,]+$/.test(text);

export const alertRoutes: Route[] = [
  {
    method: 'GET',
    path: '/v3/alerts',
    run: (account) => ({ status: 200, body: [...account.alerts.values()] }),
  },
  {
    method: 'GET',
    path: '/v3/alerts/{alert_id}',
    run(account, _request, { alert_id = '' }) {
      const alert = account.alerts.get(Number(alert_id));
      return alert === undefined ? notFound() : { status: 200, body: alert };
    },
  },
  { method: 'PATCH', path: '/v3/alerts/{alert_id}', run: patch },
  {
    method: 'DELETE',
    path: '/v3/alerts/{alert_id}',
    run: (account, _request, { alert_id = '' }) =>
      account.alerts.delete(Number(alert_id)) ? { status: 204, applied: true } : notFound(),
  },
];

/** Each type has its own second field (sendgrid.md §8). */
function patch(
  account: EmulatedAccount,
  request: Request,
  { alert_id = '' }: Record<string, string>,
): ReturnType<Route['run']> {
  const alert = account.alerts.get(Number(alert_id));
  if (alert === undefined) return notFound();
  const { email_to, frequency, percentage } = bodyOf(request);
  if (email_to !== undefined && !isAddress(email_to)) return error(400, 'email_to is invalid', 'email_to');
  const foreign = alert.type === 'usage_limit' ? frequency : percentage;
  if (foreign !== undefined) return error(400, `not a field of ${alert.type}`, 'type');
  Object.assign(alert, { updated_at: Math.floor(Date.now() / 1_000) });
  for (const [field, value] of Object.entries({ email_to, frequency, percentage })) {
    if (value !== undefined) Object.assign(alert, { [field]: value });
  }
  return { status: 200, body: alert, applied: true };
}

function notFound() {
  return error(404, 'not found', 'id');
}
