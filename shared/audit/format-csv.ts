import type { AuditLine } from './record.js';

const columns: [string, (line: AuditLine) => unknown][] = [
  ['seq', (line) => line.seq],
  ['at', (line) => line.at],
  ['kind', (line) => line.kind],
  ['account', (line) => line.account],
  ['person_id', (line) => line.person?.id],
  ['person_email', (line) => line.person?.email],
  ['action', (line) => (line.action === null ? null : `${line.action.kind} ${line.action.footprint}`)],
  ['target', (line) => line.action?.target],
  ['before', (line) => json(line.before)],
  ['after', (line) => json(line.after)],
  ['source', (line) => line.cause?.source],
  ['event_ids', (line) => line.cause?.eventIds.join(' ')],
  ['plan', (line) => line.cause?.plan],
  ['actor', (line) => line.actor],
  ['detail', (line) => json(line.detail)],
  ['hash', (line) => line.hash],
];

export const csvHeader = `${columns.map(([title]) => title).join(',')}\r\n`;

/** RFC 4180; a cell that a spreadsheet would run as a formula is made text. */
export function toCsv(line: AuditLine): string {
  return `${columns.map(([, value]) => cell(value(line))).join(',')}\r\n`;
}

function cell(value: unknown): string {
  const text = value === null || value === undefined ? '' : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function json(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
