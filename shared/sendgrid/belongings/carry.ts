import { canonicalAddress } from '#shared/lifecycle/address.js';
import type { SendGridClient } from '../client.js';
import { SendGridRefused } from '../errors.js';

type Text = string | null | undefined;

/** The fields that hold one of these addresses, as written there. */
export function carried(fields: Record<string, Text>, from: ReadonlySet<string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string' && from.has(canonicalAddress(entry[1])),
    ),
  );
}

export function isEmpty(fields: Record<string, string>): boolean {
  return Object.keys(fields).length === 0;
}

export function sameAddress(a: Text, b: Text): boolean {
  return typeof a === 'string' && typeof b === 'string' && canonicalAddress(a) === canonicalAddress(b);
}

/** The first spelling of each address; nothing for what is empty. */
export function distinct(addresses: readonly Text[]): string[] {
  const seen = new Map<string, string>();
  for (const address of addresses) {
    const key = canonicalAddress(address ?? '');
    if (address && key !== '' && !seen.has(key)) seen.set(key, address.trim());
  }
  return [...seen.values()];
}

/**
 * Who receives it.
 * @throws SendGridRefused for nobody, and for the leaver; nothing was sent
 */
export function successorOf(
  { account }: SendGridClient,
  what: string,
  from: ReadonlySet<string>,
  to: string | null,
): string {
  if (to !== null && !from.has(canonicalAddress(to))) return to;
  const why = to === null ? 'nobody succeeds them' : 'the successor is the leaver';
  throw new SendGridRefused(`SendGrid ${account}: the ${what} can’t do without an address, and ${why}`, {
    code: 'SENDGRID_UNSUPPORTED',
    blame: 'input',
    remedy: 'name a successor, or change it in SendGrid’s own settings',
  });
}
