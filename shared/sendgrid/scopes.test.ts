import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutManaged } from '#shared/lifecycle/scopes.js';

describe('withoutManaged', () => {
  it('takes out what SendGrid sets by itself, and more of a password teammate’s', () => {
    const scopes = [
      'user.password.update',
      'mail.send',
      '2fa_required',
      'mail.send',
      'ui.provision',
      'user.multifactor_authentication.create',
    ];
    expect(withoutManaged(scopes, { sso: true })).toEqual([
      'mail.send',
      'user.multifactor_authentication.create',
      'user.password.update',
    ]);
    expect(withoutManaged(scopes, { sso: false })).toEqual(['mail.send']);
  });

  it('does not depend on order or repetition, and changes nothing the second time', () => {
    const scope = fc.constantFrom(
      'mail.send',
      'stats.read',
      '2fa_exempt',
      'user.password.read',
      'sender_verification_legacy',
      'a.b',
    );
    fc.assert(
      fc.property(fc.array(scope), fc.boolean(), (scopes, sso) => {
        const once = withoutManaged(scopes, { sso });
        expect(withoutManaged([...scopes].reverse().concat(scopes), { sso })).toEqual(once);
        expect(withoutManaged(once, { sso })).toEqual(once);
      }),
    );
  });
});
