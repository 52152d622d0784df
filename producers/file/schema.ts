import { z } from 'zod';

const form = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?)?$/i;

/** A day, which begins at midnight UTC, or a time; without a zone it is UTC. No other order of day and month is guessed. */
export const DayOrTime = z.string().transform((text, context) => {
  const [, day = '', time = '00:00', zone = 'Z'] = form.exec(text) ?? [];
  const at = new Date(`${day}T${time}${zone.toUpperCase()}`);
  // 2026-02-30 would become the second of March.
  const isReal = !Number.isNaN(at.getTime()) && new Date(`${day}T00:00Z`).toISOString().startsWith(day);
  if (isReal) return at;
  context.addIssue({ code: 'custom', message: 'is no date' });
  return z.NEVER;
});
