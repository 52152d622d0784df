import { knownScopes } from './known-scopes.js';
import { nearest } from './nearest.js';
import type { Config } from './schema.js';
import { sourceKind } from './sources/index.js';

/** One line for each thing that is accepted but looks like a mistake. */
export function noticesFor(config: Config): string[] {
  return [
    ...Object.entries(config.sources).flatMap(
      ([name, source]) => sourceKind(source.type)?.notices(source, `sources.${name}`) ?? [],
    ),
    ...scopeNotices(config),
  ];
}

function scopeNotices({ offboarding }: Config): string[] {
  return offboarding.restrictTo
    .filter((scope) => !knownScopes.includes(scope))
    .map((scope) => {
      const near = nearest(scope, knownScopes);
      return `offboarding.restrictTo: ${scope} is no scope that Sendoff knows${near === null ? '' : ` (did you mean ${near}?)`}; SendGrid may refuse it`;
    });
}
