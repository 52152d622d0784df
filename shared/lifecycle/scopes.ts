// Scopes that SendGrid adds and removes by itself (sendgrid.md §6.3): never sent, never compared.

const managedForAll = new Set([
  '2fa_exempt',
  '2fa_required',
  'sender_verification_eligible',
  'sender_verification_legacy',
  'sender_verification_exempt',
  'ui.signup_complete',
  'ui.provision',
  'ui.confirm_email',
  'signup.trigger_confirmation',
]);
const managedForPasswords =
  /^user\.(email\.update|multifactor_authentication\..+|password\.(read|update)|username\.update)$/;

/** What a person was given, without what SendGrid manages itself; sorted, each once. */
export function withoutManaged(scopes: readonly string[], { sso }: { sso: boolean }): string[] {
  const given = scopes.filter((scope) => !managedForAll.has(scope) && (sso || !managedForPasswords.test(scope)));
  return [...new Set(given)].sort();
}

/** `user.profile.read` and `.update` come with every teammate (sendgrid.md §6.3, "often implicit"). */
export const implicitScopes: ReadonlySet<string> = new Set(['user.profile.read', 'user.profile.update']);
