// When two addresses are one person: exact, without case, no dot or plus folding (design.md, evidence).

/** The form in which addresses are compared. */
export function canonicalAddress(address: string): string {
  return address.trim().toLowerCase();
}

export function isAddress(text: string): boolean {
  return /^[^@\s]+@[^@\s]+$/.test(text);
}

/**
 * Every address under which an account may know a person: those the directory gives, and what the account's identity
 * template makes of each.
 * @param template e.g. `{local}+mkt@{domain}`
 */
export function addressesIn(template: string, emails: readonly string[]): Set<string> {
  const addresses = new Set<string>();
  for (const email of emails.map(canonicalAddress).filter(isAddress)) {
    addresses.add(email);
    addresses.add(canonicalAddress(fillTemplate(template, email)));
  }
  return addresses;
}

/** The address that a template makes of a person's. @param email whole and of any case */
export function fillTemplate(template: string, email: string): string {
  const at = email.lastIndexOf('@');
  const parts: Record<string, string> = { email, local: email.slice(0, at), domain: email.slice(at + 1) };
  return template.replace(/\{(email|local|domain)\}/g, (_, part: string) => parts[part] ?? '');
}

/** Can the address that it was made from be told from what the template made? */
export function leadsBack(template: string): boolean {
  return template.includes('{email}') || (template.includes('{local}') && template.includes('{domain}'));
}

/** Directory addresses from which an account's address may have been made: itself, and what the template leads back to. */
export function originsOf(template: string, address: string): string[] {
  const canonical = canonicalAddress(address);
  const literal = canonicalAddress(template).replace(/[.*+?^$()|[\]\\]/g, '\\$&');
  const seen = new Set<string>();
  const pattern = literal.replace(/\{(email|local|domain)\}/g, (_, part: string) => {
    if (seen.has(part)) return `\\k<${part}>`;
    seen.add(part);
    return part === 'email' ? '(?<email>.+@.+)' : `(?<${part}>[^@]+)`;
  });
  const { email, local, domain } = new RegExp(`^${pattern}$`).exec(canonical)?.groups ?? {};
  const origin = email ?? (local !== undefined && domain !== undefined ? `${local}@${domain}` : undefined);
  return origin === undefined || origin === canonical ? [canonical] : [canonical, origin];
}
