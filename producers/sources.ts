import type { Config, SourceConfig } from '#shared/config/schema.js';
import type { Db } from '#shared/store/database.js';
import { knownSubscriptions, lastEventAt } from '#shared/store/subscriptions.js';
import { duoSource } from './duo/index.js';
import { entraSource } from './entra/index.js';
import { fileSource } from './file/index.js';
import { googleSource } from './google/index.js';
import { oktaSource } from './okta/index.js';
import { oneLoginSource } from './onelogin/index.js';
import type { Source, SourceTools } from './source.js';
import { ssfSource } from './ssf/index.js';
import { webhookSource } from './webhook/index.js';

type Create<Type> = (
  name: string,
  source: Extract<SourceConfig, { type: Type }>,
  tools: SourceTools,
) => Omit<Source, 'name'>;

/** The registry: source type -> what receives and asks for it. */
const types: { [Type in SourceConfig['type']]: Create<Type> } = {
  okta: oktaSource,
  entra: entraSource,
  google: googleSource,
  onelogin: oneLoginSource,
  duo: duoSource,
  ssf: ssfSource,
  webhook: webhookSource,
  file: fileSource,
};

/** Every source of the configuration. */
export function configuredSources({ sources }: Pick<Config, 'sources'>, db: Db): Source[] {
  return Object.entries(sources).map(([name, source]) => {
    const create = types[source.type] as Create<SourceConfig['type']>;
    const tools = { subscriptions: knownSubscriptions(db, name), lastEventAt: () => lastEventAt(db, name) };
    return { name, ...create(name, source, tools) };
  });
}
