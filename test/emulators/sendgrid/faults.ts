/** What can go wrong with a request, by what the client gets to see. */
export type Fault =
  | { kind: 'status'; status: number; body?: unknown; retryAfter?: number }
  /** Carried out, but the answer never comes. */
  | { kind: 'apply-then-hang' }
  | { kind: 'apply-then-reset' }
  | { kind: 'hang' }
  | { kind: 'reset' }
  | { kind: 'slow'; ms: number }
  /** 2xx, and nothing was done (sendgrid.md §1.6). */
  | { kind: 'accept-and-ignore' }
  | { kind: 'garbage'; body: string; contentType?: string }
  | { kind: 'redirect'; location: string }
  /** A list page without its first item. */
  | { kind: 'drop-item' }
  /** A list page with fewer items than asked for, although more follow. */
  | { kind: 'short-page'; length: number }
  /** Lists as they were when the fault was injected. */
  | { kind: 'stale-list' };

export interface FaultRule {
  account?: string;
  /** Inside this subuser; null: in the parent alone. Default both. */
  subuser?: string | null;
  method?: string;
  path?: RegExp;
  /** How often; default for ever. */
  times?: number;
  fault: Fault;
}

export interface InjectedFault {
  /** How often it struck. */
  readonly hits: number;
  remove(): void;
}

interface Active extends FaultRule {
  hits: number;
  /** State of the lists when the fault was injected, for `stale-list`. */
  snapshot: unknown;
}

export class Faults {
  private active: Active[] = [];

  private readonly takeSnapshot: () => unknown;

  constructor(takeSnapshot: () => unknown) {
    this.takeSnapshot = takeSnapshot;
  }

  inject(rule: FaultRule): InjectedFault {
    const active: Active = {
      ...rule,
      hits: 0,
      snapshot: rule.fault.kind === 'stale-list' ? this.takeSnapshot() : null,
    };
    this.active.push(active);
    return {
      get hits() {
        return active.hits;
      },
      remove: () => {
        this.active = this.active.filter((one) => one !== active);
      },
    };
  }

  clear(): void {
    this.active = [];
  }

  /** The fault that strikes this request, if any. */
  strike(request: {
    account: string;
    subuser: string | null;
    method: string;
    path: string;
  }): { fault: Fault; snapshot: unknown } | null {
    const rule = this.active.find(
      (one) =>
        (one.account === undefined || one.account === request.account) &&
        (one.subuser === undefined || one.subuser === request.subuser) &&
        (one.method === undefined || one.method === request.method) &&
        (one.path === undefined || one.path.test(request.path)) &&
        one.hits < (one.times ?? Number.POSITIVE_INFINITY),
    );
    if (rule === undefined) return null;
    rule.hits += 1;
    return { fault: rule.fault, snapshot: rule.snapshot };
  }
}
