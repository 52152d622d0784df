// Scopes as SendGrid hands them out (sendgrid.md §6).

const crud = (prefix: string) => ['create', 'read', 'update', 'delete'].map((verb) => `${prefix}.${verb}`);

/** Shown for everybody, refused on write. */
export const managed = [
  '2fa_required',
  'sender_verification_eligible',
  'ui.signup_complete',
  'ui.provision',
  'ui.confirm_email',
];
export const managedForPasswords = [
  'user.email.update',
  'user.password.read',
  'user.password.update',
  'user.username.update',
];

export const known = new Set([
  ...[
    'alerts',
    'api_keys',
    'asm.groups',
    'billing',
    'categories',
    'design_library',
    'ips',
    'marketing_campaigns',
  ].flatMap(crud),
  ...['suppression', 'teammates', 'templates', 'templates.versions', 'subusers', 'whitelabel', 'user.profile'].flatMap(
    crud,
  ),
  ...[
    'mail.send',
    'stats.read',
    'stats.global.read',
    'messages.read',
    'email_activity.read',
    'user.account.read',
    'user.email.read',
  ],
  ...['sso.settings.read', 'sso.teammates.create', 'sso.teammates.update', 'user.username.read', 'mail_settings.read'],
]);

const base = [
  'categories.read',
  'mail_settings.read',
  'stats.global.read',
  'user.account.read',
  'user.email.read',
  'user.username.read',
];

/** Enough of §6.4 to tell the personas apart. */
export const personas: Record<string, string[]> = {
  accountant: [...base, 'stats.read', ...crud('billing')],
  marketer: [...base, ...crud('alerts'), ...crud('templates'), ...crud('marketing_campaigns')],
  developer: [...base, 'stats.read', 'mail.send', ...crud('api_keys'), ...crud('templates')],
  observer: [...base, 'stats.read', 'messages.read', 'templates.read', 'api_keys.read'],
};
