import type { EmulatedAccount } from './account.js';
import { bodyOf, error, type Route } from './routes.js';

const isAddress = (text: unknown) => typeof text === 'string' && /^[^@\s,]+@[^@\s,]+\.[^@\s,]+$/.test(text);
const isDomain = (text: unknown) => typeof text === 'string' && /^[^@\s,]+\.[^@\s,]+$/.test(text);

interface Setting {
  name: string;
  of(account: EmulatedAccount): { enabled: boolean };
  /** The field that holds addresses. */
  field: 'email' | 'list';
  accepts(value: unknown): boolean;
}

const settings: Setting[] = [
  {
    name: 'forward_bounce',
    of: (account) => account.forwardBounce,
    field: 'email',
    accepts: (value) => value === null || value === '' || isAddress(value),
  },
  {
    name: 'forward_spam',
    of: (account) => account.forwardSpam,
    field: 'email',
    // One string for all of them, and never null (sendgrid.md §8).
    accepts: (value) =>
      typeof value === 'string' && (value === '' || value.split(',').every((one) => isAddress(one.trim()))),
  },
  {
    name: 'address_whitelist',
    of: (account) => account.addressWhitelist,
    field: 'list',
    accepts: (value) => Array.isArray(value) && value.every((one) => isAddress(one) || isDomain(one)),
  },
];

export const mailSettingRoutes: Route[] = settings.flatMap(({ name, of, field, accepts }): Route[] => [
  {
    method: 'GET',
    path: `/v3/mail_settings/${name}`,
    run: (account) => ({ status: 200, body: of(account) }),
  },
  {
    method: 'PATCH',
    path: `/v3/mail_settings/${name}`,
    /** What is not said stays; what is said replaces all of it. */
    run(account, request) {
      const { enabled, [field]: value } = bodyOf(request);
      if (value !== undefined && !accepts(value)) return error(400, `${field} is invalid`, field);
      if (enabled !== undefined && typeof enabled !== 'boolean') return error(400, 'enabled is invalid', 'enabled');
      const setting = of(account);
      Object.assign(setting, value === undefined ? {} : { [field]: value }, enabled === undefined ? {} : { enabled });
      return { status: 200, body: setting, applied: true };
    },
  },
]);
