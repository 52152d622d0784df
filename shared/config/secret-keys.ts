/** Keys whose values are secret wherever in the file they stand: kept out of logs, errors and rows, never empty. */
export const secretKeys: ReadonlySet<string> = new Set([
  'apiKey',
  'token',
  'privateKey',
  'hookSecret',
  'clientSecret',
  'refreshToken',
  'clientState',
  'channelToken',
  'secretKey',
  'signingSecret',
  'pushToken',
]);

/** Every text that stands under such a key. */
export function secretValuesIn(value: unknown, isSecret = false): string[] {
  if (typeof value === 'string') return isSecret ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => secretValuesIn(inner, isSecret || secretKeys.has(key)));
}
