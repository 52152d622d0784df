import { z } from 'zod';
import { headerSecret } from '../schema-parts.js';
import { isLoopback, isOrigin, originOf } from '../url.js';
import { poll } from './parts.js';
import type { SourceKind } from './source-kind.js';

/** Duo wants its logs asked for no more often (idp-events.md §5). */
const politeMs = 60_000;

const schema = z
  .strictObject({
    type: z.literal('duo').describe('Which identity provider this source is'),
    apiHost: z
      .string()
      .regex(
        /^api-[a-z0-9]+\.(duosecurity|duofederal)\.com$/i,
        'is no API hostname of Duo (copy it from the Admin API application: api-xxxxxxxx.duosecurity.com)',
      )
      .transform((host) => host.toLowerCase())
      .describe('API hostname of the Admin API application, such as api-1a2b3c4d.duosecurity.com'),
    baseUrl: z
      .string()
      .refine((url) => isLoopback(url) && isOrigin(url), 'is not on this machine (leave it out: apiHost is enough)')
      .transform(originOf)
      .optional()
      .describe('For tests only: where an emulator listens; requests are signed for apiHost all the same'),
    integrationKey: z
      .string()
      .regex(/^DI[A-Z0-9]{18}$/, 'is no integration key (copy it from the Admin API application: DI and 18 characters)')
      .describe('Integration key of the Admin API application'),
    secretKey: headerSecret.describe('Secret key of the Admin API application'),
    disabled: z
      .enum(['suspended', 'terminated'], 'is neither of the two (write suspended or terminated)')
      .default('suspended')
      .describe('What a user is whose status in Duo is disabled; one in the trash has always left'),
    poll: poll
      .prefault('2m')
      .describe('How often the activity log is asked, at least 1s; Duo shows it two minutes late; "off" to disable'),
  })
  .describe('One Duo account, by its Admin API');

export type DuoSource = z.infer<typeof schema>;

export const duo: SourceKind<typeof schema> = {
  schema,
  urls: ['baseUrl'],
  noDirectory: () => null,
  subscribes: () => false,
  findings: () => [],
  notices: ({ poll: everyMs }, path) =>
    everyMs === null || everyMs >= politeMs
      ? []
      : [`${path}.poll: Duo wants its logs asked for once a minute at the most (write 1m or longer)`],
};
