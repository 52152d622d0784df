import type { Persona } from './types.js';

// What SendGrid's personas stand for (sendgrid.md §6.4), without what it manages itself. It takes a persona on write and
// shows scopes on read, so a comparison needs them spelled out.

const crud = (nouns: string) => words(nouns).flatMap((noun) => verbs(noun, 'create read update delete'));
const verbs = (noun: string, list: string) => words(list).map((verb) => `${noun}.${verb}`);
const read = (nouns: string) => words(nouns).map((noun) => `${noun}.read`);
const readUpdate = (nouns: string) => words(nouns).flatMap((noun) => verbs(noun, 'read update'));

const base = [
  ...read(`mail_settings partner_settings tracking_settings stats.global categories categories.stats
    categories.stats.sums devices.stats geo.stats browsers.stats mailbox_providers.stats clients.stats
    clients.phone.stats clients.tablet.stats clients.webmail.stats clients.desktop.stats subusers.stats
    subusers.stats.sums subusers.stats.monthly user.webhooks.parse.stats user.account user.credits user.email
    user.profile user.timezone user.username user.settings.enforced_tls`),
  'user.profile.update',
];

const marketer = [
  ...base,
  ...crud('alerts asm.groups templates templates.versions marketing_campaigns suppression'),
  ...readUpdate(`mail_settings.spam_check tracking_settings.click tracking_settings.subscription
    tracking_settings.open tracking_settings.google_analytics`),
  'templates.versions.activate.create',
  ...read('mail.batch user.scheduled_sends'),
  ...verbs('email_testing', 'read write'),
];

const developer = [
  ...marketer,
  'stats.read',
  'mail.send',
  ...crud(`api_keys mail.batch user.scheduled_sends ips ips.pools ips.pools.ips ips.warmup
    user.webhooks.parse.settings categories access_settings.whitelist`),
  ...read('ips.assigned access_settings.activity'),
  ...readUpdate(`mail_settings.bcc mail_settings.address_whitelist mail_settings.footer mail_settings.forward_spam
    mail_settings.forward_bounce mail_settings.plain_content mail_settings.spam_check mail_settings.bounce_purge
    mail_settings.template user.webhooks.event.settings`),
  ...verbs('user.webhooks.event.test', 'create read update'),
];

const observer = [
  ...base,
  ...read(`stats alerts asm.groups billing ips ips.assigned ips.pools ips.pools.ips ips.warmup mail_settings.bcc
    mail_settings.address_whitelist mail_settings.footer mail_settings.forward_spam mail_settings.forward_bounce
    mail_settings.plain_content mail_settings.spam_check mail_settings.template partner_settings.new_relic
    partner_settings.sendwithus tracking_settings.click tracking_settings.subscription tracking_settings.open
    tracking_settings.google_analytics user.webhooks.event.settings user.webhooks.event.test
    user.webhooks.parse.settings subusers subusers.monitor subusers.credits subusers.credits.remaining
    subusers.reputations subusers.summary templates templates.versions api_keys mail.batch user.scheduled_sends
    access_settings.whitelist access_settings.activity suppression messages email_testing`),
  'mail_settings.bounce_purge.update',
];

const expansions: Record<Persona, string[]> = {
  accountant: [...base, 'stats.read', ...crud('billing')],
  developer,
  marketer,
  observer,
};

/** The scopes of a persona, sorted, each once. */
export function scopesOf(persona: Persona): string[] {
  return [...new Set(expansions[persona])].sort();
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
