import { belongingNouns } from '#shared/sendgrid/belongings/index.js';
import type { DraftOf, Effect } from './action.js';

/** Wanted: this sender, alert or setting no longer carries the leaver's address; the successor's stands there instead. */
export const reassignBelonging: Effect<DraftOf<'reassign'>, string> = {
  async look({ sendgrid }, draft) {
    const state = await belongingNouns[draft.footprint].look(sendgrid, draft.target, new Set(draft.from), draft.to);
    switch (state.kind) {
      case 'clear':
        return { kind: 'as-wanted', seen: { fields: {} } };
      case 'carries':
        return { kind: 'differs', seen: { fields: state.fields }, record: null, found: state.step };
      case 'pending':
        return state;
    }
  },
  async act({ sendgrid }, draft, step) {
    await belongingNouns[draft.footprint].act(sendgrid, draft.target, new Set(draft.from), draft.to, step);
  },
  async remind({ sendgrid }, draft) {
    if (draft.to !== null) await belongingNouns[draft.footprint].remind?.(sendgrid, draft.target, draft.to);
  },
};
