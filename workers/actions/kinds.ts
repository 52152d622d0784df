import type { ActionDraft } from '#shared/lifecycle/types.js';
import type { Effect } from './action.js';
import { handOverKey, revokeKey } from './api-key.js';
import { deactivateTwilioUser } from './deactivate-twilio-user.js';
import { denyRequest } from './deny-access-request.js';
import { deprovisionInvitation } from './deprovision-invitation.js';
import { deprovisionTeammate } from './deprovision-teammate.js';
import { provisionTeammate } from './provision-teammate.js';
import { reassignBelonging } from './reassign-belonging.js';
import { renameTeammate } from './rename-teammate.js';
import { retireTeammate } from './retire-teammate.js';
import { setTeammateAccess } from './set-teammate-access.js';

const deprovision = {
  teammate: deprovisionTeammate,
  invitation: deprovisionInvitation,
  'access-request': denyRequest,
};

/** The list: which effect brings about which wanted condition. */
export function effectOf(draft: ActionDraft): Effect {
  switch (draft.kind) {
    case 'deprovision':
      return deprovision[draft.footprint] as Effect;
    case 'restrict':
    case 'restore':
    case 'rescope':
      return setTeammateAccess as Effect;
    case 'rename':
      return renameTeammate as Effect;
    case 'provision':
      return provisionTeammate as Effect;
    case 'retire':
      return retireTeammate as Effect;
    case 'reassign':
      return reassignBelonging as Effect;
    case 'revoke':
      return revokeKey as Effect;
    case 'hand-over':
      return handOverKey as Effect;
    case 'deactivate':
      return deactivateTwilioUser as Effect;
  }
}
