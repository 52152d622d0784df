import { randomBytes } from 'node:crypto';

// What an account or a subuser holds besides people (sendgrid.md §8): senders, alerts, mail settings, API keys.

export interface EmulatedVerifiedSender {
  id: number;
  nickname: string;
  from_email: string;
  from_name: string;
  reply_to: string;
  reply_to_name: string;
  address: string;
  address2: string;
  state: string;
  city: string;
  zip: string;
  country: string;
  verified: boolean;
  locked: boolean;
}

/** Of Marketing Campaigns, current and legacy. */
export interface EmulatedSender {
  id: number;
  nickname: string;
  from: { email: string; name: string };
  reply_to: { email: string; name?: string };
  address: string;
  address_2: string;
  city: string;
  state: string;
  zip: string;
  country: string;
  verified: boolean;
  locked: boolean;
  created_at: number;
  updated_at: number;
}

export interface EmulatedAlert {
  id: number;
  type: 'usage_limit' | 'stats_notification';
  email_to: string;
  frequency?: string;
  percentage?: number;
  created_at: number;
  updated_at: number;
}

export interface EmulatedApiKey {
  id: string;
  name: string;
  /** As given; managed scopes are added on reading (sendgrid.md §6.3). */
  scopes: string[];
  /** null: nobody can sign in with this entry. */
  secret: string | null;
}

type SenderSeed = Partial<Omit<EmulatedSender, 'from' | 'reply_to'>> & { from: string; reply_to?: string };

export interface HoldingsSeed {
  verifiedSenders?: (Partial<EmulatedVerifiedSender> & { from_email: string })[];
  senders?: SenderSeed[];
  legacySenders?: SenderSeed[];
  alerts?: (Partial<EmulatedAlert> & { email_to: string })[];
  forwardBounce?: string;
  /** Comma-separated. */
  forwardSpam?: string;
  addressWhitelist?: string[];
  apiKeys?: { name: string; scopes?: string[] }[];
  /** Senders of these domains need no mail (sendgrid.md §8). */
  authenticatedDomains?: string[];
}

const postal = { address: '1234 Fake St.', city: 'Denver', state: 'CO', zip: '80202', country: 'USA' };

export class EmulatedHoldings {
  readonly verifiedSenders = new Map<number, EmulatedVerifiedSender>();
  readonly senders = new Map<number, EmulatedSender>();
  readonly legacySenders = new Map<number, EmulatedSender>();
  readonly alerts = new Map<number, EmulatedAlert>();
  readonly apiKeys = new Map<string, EmulatedApiKey>();
  readonly forwardBounce: { email: string | null; enabled: boolean };
  readonly forwardSpam: { email: string; enabled: boolean };
  readonly addressWhitelist: { list: string[]; enabled: boolean };
  readonly authenticatedDomains: string[];
  /** Every verification mail that was sent. */
  readonly mails: { to: string; senderId: number }[] = [];
  private lastId: number;

  /** @param firstId spaces number their things apart, so that one space's id means nothing in another */
  constructor(seed: HoldingsSeed, firstId: number) {
    this.lastId = firstId;
    this.authenticatedDomains = seed.authenticatedDomains ?? [];
    this.forwardBounce = { email: seed.forwardBounce ?? null, enabled: seed.forwardBounce !== undefined };
    this.forwardSpam = { email: seed.forwardSpam ?? '', enabled: seed.forwardSpam !== undefined };
    this.addressWhitelist = { list: seed.addressWhitelist ?? [], enabled: seed.addressWhitelist !== undefined };
    for (const one of seed.verifiedSenders ?? []) this.addVerifiedSender(one);
    for (const one of seed.senders ?? []) this.addSender(one);
    for (const one of seed.legacySenders ?? []) this.addLegacySender(one);
    for (const one of seed.alerts ?? []) this.addAlert(one);
    for (const one of seed.apiKeys ?? []) this.addApiKey(one);
  }

  addVerifiedSender(seed: Partial<EmulatedVerifiedSender> & { from_email: string }): EmulatedVerifiedSender {
    const id = this.nextId();
    const names = { nickname: `Sender ${id}`, from_name: 'Acme', reply_to: seed.from_email, reply_to_name: 'Acme' };
    const sender = { id, ...names, ...postal, address2: '', verified: true, locked: false, ...seed };
    this.verifiedSenders.set(sender.id, sender);
    return sender;
  }

  addSender(seed: SenderSeed): EmulatedSender {
    return this.keepSender(this.senders, seed);
  }

  addLegacySender(seed: SenderSeed): EmulatedSender {
    return this.keepSender(this.legacySenders, seed);
  }

  addAlert(seed: Partial<EmulatedAlert> & { email_to: string }): EmulatedAlert {
    const kind =
      seed.frequency === undefined ? { type: 'usage_limit', percentage: 90 } : { type: 'stats_notification' };
    const alert = { id: this.nextId(), ...kind, created_at: now(), updated_at: now(), ...seed } as EmulatedAlert;
    this.alerts.set(alert.id, alert);
    return alert;
  }

  addApiKey({ name, scopes = ['mail.send'] }: { name: string; scopes?: string[] }): EmulatedApiKey {
    const id = randomBytes(16).toString('base64url');
    const key = { id, name, scopes, secret: `SG.${id}.${randomBytes(32).toString('base64url')}` };
    this.apiKeys.set(id, key);
    return key;
  }

  /** Does anything need to be proved before mail goes out under this address? */
  isVouchedFor(email: string): boolean {
    const address = email.toLowerCase();
    return this.authenticatedDomains.some((domain) => address.endsWith(`@${domain}`));
  }

  /** Plays the click in the verification mail. */
  verifySender(id: number): void {
    const sender = this.verifiedSenders.get(id) ?? this.senders.get(id) ?? this.legacySenders.get(id);
    if (sender === undefined) throw new Error(`the emulator has no sender ${id}`);
    sender.verified = true;
  }

  /** Does anything held here carry this address? */
  holds(email: string): boolean {
    const carried = [
      ...[...this.verifiedSenders.values()].flatMap((one) => [one.from_email, one.reply_to]),
      ...[...this.senders.values(), ...this.legacySenders.values()].flatMap((one) => [
        one.from.email,
        one.reply_to.email,
      ]),
      ...[...this.alerts.values()].map((alert) => alert.email_to),
      this.forwardBounce.email ?? '',
      ...this.forwardSpam.email.split(','),
      ...this.addressWhitelist.list,
    ];
    return carried.some((address) => address.trim().toLowerCase() === email.toLowerCase());
  }

  private keepSender(kept: Map<number, EmulatedSender>, { from, reply_to = from, ...seed }: SenderSeed) {
    const id = this.nextId();
    const sender: EmulatedSender = {
      id,
      nickname: `Sender ${id}`,
      from: { email: from, name: 'Acme' },
      reply_to: { email: reply_to, name: 'Acme' },
      ...postal,
      address_2: '',
      verified: true,
      locked: false,
      created_at: now(),
      updated_at: now(),
      ...seed,
    };
    kept.set(sender.id, sender);
    return sender;
  }

  private nextId(): number {
    this.lastId += 1;
    return this.lastId;
  }
}

function now(): number {
  return Math.floor(Date.now() / 1_000);
}
