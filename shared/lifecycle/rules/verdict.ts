import type { Situation } from '../situation.js';
import type { Verdict } from '../types.js';

export interface Standing {
  verdict: Verdict;
  /** One sentence, without names: who is meant stands beside it. */
  reason: string;
}

/** What the evidence makes of the person (design.md, "what counts as evidence"). An operator's order stands above it. */
export function standingVerdict({
  evidence,
  order,
  orphan,
}: Pick<Situation, 'evidence' | 'order' | 'orphan'>): Standing {
  if (order !== null) {
    const why = order.reason === null ? '' : `: ${order.reason}`;
    return { verdict: 'leaver', reason: `${order.proposed ? 'Proposed' : 'Ordered'} off by ${order.by}${why}` };
  }
  switch (evidence.kind) {
    case 'gone':
      return { verdict: 'leaver', reason: 'The directory no longer knows the id it once gave this person' };
    case 'unlisted':
      if (orphan) {
        return {
          verdict: 'leaver',
          reason: 'The whole directory was read and nobody has this address; `reconcile.orphans` says remove',
        };
      }
      return { verdict: 'keep', reason: 'The directory does not know this address and no order stands' };
    case 'found':
      return found(evidence.person);
  }
}

function found({ standing, assigned }: { standing: string; assigned: boolean | null }): Standing {
  if (standing === 'inactive') return { verdict: 'leaver', reason: 'The directory says the person is deactivated' };
  if (standing === 'suspended') return { verdict: 'suspended', reason: 'The directory says the person is suspended' };
  if (assigned === false) {
    return {
      verdict: 'unassigned',
      reason: 'The directory says the person is active but the app is not assigned to them',
    };
  }
  return { verdict: 'keep', reason: 'The directory says the person is active' };
}
