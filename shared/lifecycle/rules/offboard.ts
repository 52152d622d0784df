import { restrictedAccess, sameAccess } from '../access.js';
import type { Situation } from '../situation.js';
import type { Access, ActionDraft, Policy, Roster } from '../types.js';
import type { Footprints, Place } from './footprints.js';

/** Takes access away: every teammate, invitation and access request of the person in every place of the account. */
export function offboardActions(
  wanted: 'delete' | 'restrict',
  situation: Situation,
  { account, subuserIds, unread }: Pick<Roster, 'account' | 'subuserIds' | 'unread'>,
  { places, accessRequests }: Footprints,
  { offboarding, accounts }: Policy,
  reason: string,
): ActionDraft[] {
  // What was not read is not "none".
  const mayHaveSubusers =
    subuserIds.length > 0 ||
    unread.some(({ part }) => part === 'subusers') ||
    accounts.some(({ name, subusers }) => name === account && subusers === 'none');
  const requests = accessRequests.map(({ id, email }): ActionDraft => {
    return {
      kind: 'deprovision',
      footprint: 'access-request',
      account,
      subuser: null,
      target: id,
      email,
      admin: false,
      reason,
    };
  });
  const least = restrictedAccess(offboarding.restrictTo);
  return [
    ...requests,
    ...places.flatMap((place) => [
      ...(wanted === 'delete'
        ? place.teammates.map((mate): ActionDraft => {
            const confined = place.subuser === null && mate.sso && !mate.admin && mayHaveSubusers;
            return { kind: 'deprovision', confined, ...teammateTarget(account, place, mate, reason) };
          })
        : place.teammates
            .filter((mate) => mate.admin || !isKnownToHave(situation, account, place, mate.username, least))
            .map((mate): ActionDraft => {
              return { kind: 'restrict', wanted: least, ...teammateTarget(account, place, mate, reason) };
            })),
      ...place.invitations.map(
        ({ email, admin }): ActionDraft => ({
          kind: 'deprovision',
          footprint: 'invitation',
          account,
          subuser: place.subuser,
          target: email,
          email,
          admin: admin && place.subuser === null,
          reason,
        }),
      ),
    ]),
  ];
}

/** Gives back what Sendoff itself took by restricting. @param ruledByRole a role says what they may do in the parent */
export function unrestrictActions(
  situation: Situation,
  account: string,
  { places }: Footprints,
  reason: string,
  ruledByRole: boolean,
): ActionDraft[] {
  const unruled = places.filter(({ subuser }) => subuser !== null || !ruledByRole);
  return unruled.flatMap((place) =>
    place.teammates.flatMap((mate) =>
      situation.restrictions
        .filter((one) => one.account === account && one.subuser === place.subuser && one.username === mate.username)
        .filter(({ before }) => !isKnownToHave(situation, account, place, mate.username, before))
        .map(
          ({ before }): ActionDraft => ({
            kind: 'restore',
            wanted: before,
            ...teammateTarget(account, place, mate, `${reason}; Sendoff had restricted them`),
          }),
        ),
    ),
  );
}

/** What every draft about a teammate says. */
export function teammateTarget(
  account: string,
  { subuser }: Pick<Place, 'subuser'>,
  { username, email, admin }: Place['teammates'][number],
  reason: string,
) {
  // Full access inside a subuser is no full access to the account: the gate counts the parent's admins.
  const counted = admin && subuser === null;
  return { footprint: 'teammate' as const, account, subuser, target: username, email, admin: counted, reason };
}

function isKnownToHave(
  { known }: Situation,
  account: string,
  { subuser }: Pick<Place, 'subuser'>,
  username: string,
  access: Access,
): boolean {
  return known.some(
    (k) => k.account === account && k.subuser === subuser && k.username === username && sameAccess(k.access, access),
  );
}
