import { z } from 'zod';

const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const form = /^(\d{1,9})(ms|s|m|h|d)$/;

/** `90s`, `15m`, `24h`: becomes milliseconds. The bounds are durations too. */
export function duration({ min = '0s', max = '3650d' }: { min?: string; max?: string } = {}) {
  const noDuration = 'is no duration (write a number and a unit, such as 60s, 15m, 24h or 7d)';
  return z
    .string(noDuration)
    .regex(form, noDuration)
    .transform(millisecondsOf)
    .refine((ms) => ms >= millisecondsOf(min), `is too short (at least ${min})`)
    .refine((ms) => ms <= millisecondsOf(max), `is too long (at most ${max})`);
}

function millisecondsOf(text: string): number {
  const [, amount, unit] = form.exec(text) ?? [];
  return Number(amount) * (units[unit ?? ''] ?? Number.NaN);
}
