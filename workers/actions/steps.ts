import type { Snapshot } from '#shared/lifecycle/types.js';
import type { ActionRow } from '#shared/store/actions.js';
import { inSpan, type TraceAttributes } from '#shared/telemetry/trace.js';
import type { Sighting } from './action.js';
import type { Claim } from './claim.js';
import { effectOf } from './kinds.js';

// What an effect does outside, each a step of the trace.

export function look(step: 'look' | 'look again', { reach, row }: Claim, before?: Snapshot | null): Promise<Sighting> {
  return inSpan(step, tellingOf(row), async (note) => {
    const sighting = await effectOf(row.draft).look(reach, row.draft, before);
    note({ 'sendoff.sighting': sighting.kind });
    return sighting;
  });
}

export function act({ reach, row }: Claim, found: unknown): Promise<void> {
  return inSpan('act', tellingOf(row), () => effectOf(row.draft).act(reach, row.draft, found));
}

/** Kinds and configured names; never whom it is about. */
function tellingOf({ planId, draft }: ActionRow): TraceAttributes {
  return {
    'sendoff.plan': planId,
    'sendoff.action.kind': draft.kind,
    'sendoff.action.footprint': draft.footprint,
    'sendoff.account': draft.account,
    'sendoff.in_subuser': draft.subuser !== null,
  };
}
