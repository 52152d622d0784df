// Every scope string that sendgrid.md §6.2 knows, written as there. SendGrid has no public list: a scope that is not
// here gets a notice, not an error.

const crud = ['create', 'read', 'update', 'delete'];

const withCrud = `
  access_settings.whitelist alerts api_keys asm.groups asm.groups.suppressions asm.suppressions.global billing categories
  credentials design_library ips ips.pools ips.pools.ips ips.warmup mail.batch
  mail_settings.address_whitelist mail_settings.bcc mail_settings.bounce_purge mail_settings.footer
  mail_settings.forward_bounce mail_settings.forward_spam mail_settings.plain_content mail_settings.spam_check
  mail_settings.template marketing_campaigns newsletter partner_settings.new_relic partner_settings.sendwithus
  sso.settings subusers subusers.credits subusers.credits.remaining subusers.monitor suppression suppression.blocks
  suppression.bounces suppression.invalid_emails suppression.spam_reports suppression.unsubscribes teammates templates
  templates.versions templates.versions.activate tracking_settings.click tracking_settings.google_analytics
  tracking_settings.open tracking_settings.subscription user.email user.multifactor_authentication user.password
  user.profile user.timezone user.username user.scheduled_sends user.webhooks.event.settings user.webhooks.event.test
  user.webhooks.parse.settings whitelabel`;

const single = `
  access_settings.activity.read browsers.stats.read categories.stats.read categories.stats.sums.read clients.stats.read
  clients.desktop.stats.read clients.phone.stats.read clients.tablet.stats.read clients.webmail.stats.read
  devices.stats.read di.bounce_block_classification.read email_activity.read email_testing.read email_testing.write
  geo.stats.read ips.assigned.read mail.send mail_settings.read mailbox_providers.stats.read marketing.read
  marketing.automation.read messages.read partner_settings.read recipients.erasejob.create recipients.erasejob.read
  sso.teammates.create sso.teammates.update stats.read stats.global.read subusers.reputations.read subusers.summary.read
  subusers.stats.read subusers.stats.monthly.read subusers.stats.sums.read tracking_settings.read user.account.read
  user.credits.read user.settings.enforced_tls.read user.settings.enforced_tls.update user.webhooks.parse.stats.read
  validations.email.create validations.email.read`;

export const knownScopes: readonly string[] = [
  ...words(withCrud).flatMap((noun) => crud.map((verb) => `${noun}.${verb}`)),
  ...words(single),
];

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
