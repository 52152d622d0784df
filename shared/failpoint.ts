// Instants at which a test may end, stop or block this process. Anywhere else they do nothing: environment.ts hands an
// order on only where SENDOFF_ENV=test and NODE_ENV is not production (reliability.md §8).

/** Every one has its case in test/faults/failpoints.test.ts. */
export const failpoints = [
  'intake.before_commit',
  'intake.after_commit',
  'relay.after_add',
  'pull.before_commit',
  'pull.after_commit',
  'plan.before_commit',
  'plan.after_commit',
  'action.after_claim',
  'action.before_act',
  'action.after_act',
  'action.before_finish',
  'action.after_finish',
  'settle.before_commit',
] as const;
export type FailpointName = (typeof failpoints)[number];

interface Order {
  name: FailpointName;
  /** `block` holds the event loop, as a long computation would. */
  what: { kind: 'kill' | 'stop' } | { kind: 'block'; ms: number };
  /** At which passing; null: at every one. */
  passing: number | null;
}

const form = /^(?<name>[a-z_.]+):(?:(?<signal>kill|stop)|block:(?<ms>\d{1,7}))(?::(?<passing>\d{1,4}))?$/;

/** @param text `name:kill`, `name:stop` or `name:block:<ms>`, each with `:<n>` for the n-th passing only; null: no such order */
export function parseFailpoint(text: string): Order | null {
  const { name, signal, ms, passing } = form.exec(text)?.groups ?? {};
  const known = failpoints.find((one) => one === name);
  if (known === undefined) return null;
  return {
    name: known,
    what: signal === undefined ? { kind: 'block', ms: Number(ms) } : { kind: signal as 'kill' | 'stop' },
    passing: passing === undefined ? null : Number(passing),
  };
}

let armed: Order | null = null;
let passed = 0;

/** @param text as `Environment.failpoint` has it */
export function armFailpoint(text: string | null): void {
  armed = text === null ? null : parseFailpoint(text);
  passed = 0;
}

/** Marks an instant. */
export function failpoint(name: FailpointName): void {
  if (armed === null || armed.name !== name) return;
  passed += 1;
  if (armed.passing !== null && armed.passing !== passed) return;
  if (armed.what.kind === 'block') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, armed.what.ms);
  else process.kill(process.pid, armed.what.kind === 'kill' ? 'SIGKILL' : 'SIGSTOP');
}
