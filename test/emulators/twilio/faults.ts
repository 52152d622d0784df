/** What can go wrong with a request, by what the client gets to see. */
export type Fault =
  | { kind: 'status'; status: number; body?: unknown; retryAfter?: number }
  | { kind: 'hang' }
  | { kind: 'reset' }
  /** Carried out, but the answer never comes. */
  | { kind: 'apply-then-hang' }
  /** 2xx, and nothing was done: unknown PATCH paths are ignored (sendgrid.md §11). */
  | { kind: 'accept-and-ignore' }
  | { kind: 'garbage'; body: string }
  | { kind: 'redirect'; location: string };

export interface FaultRule {
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

export class Faults {
  private active: (FaultRule & { hits: number })[] = [];

  inject(rule: FaultRule): InjectedFault {
    const active = { ...rule, hits: 0 };
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
  strike(request: { method: string; path: string }): Fault | null {
    const rule = this.active.find(
      (one) =>
        (one.method === undefined || one.method === request.method) &&
        (one.path === undefined || one.path.test(request.path)) &&
        one.hits < (one.times ?? Number.POSITIVE_INFINITY),
    );
    if (rule === undefined) return null;
    rule.hits += 1;
    return rule.fault;
  }
}
