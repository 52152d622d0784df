import { describe, expect, it } from 'vitest';
import { duo } from './duo.js';

describe('shared/config/sources/duo', () => {
  const written = {
    type: 'duo',
    apiHost: 'API-1a2b3c4d.duosecurity.com',
    integrationKey: 'DIWJ8X6AEYOR5OMC6TQ1',
    secretKey: 'Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep',
  };
  const isTaken = (more: object) => duo.schema.safeParse({ ...written, ...more }).success;

  it('needs a host and two keys, and asks every two minutes', () => {
    expect(duo.schema.parse(written)).toEqual({
      ...written,
      apiHost: 'api-1a2b3c4d.duosecurity.com',
      disabled: 'suspended',
      poll: 120_000,
    });
  });

  it.each([
    'acme.com',
    'https://api-1a2b3c4d.duosecurity.com',
    'api-1.duosecurity.com.evil.example',
    'admin-1.duosecurity.com',
  ])('sends no signature to %s', (apiHost) => {
    expect(isTaken({ apiHost })).toBe(false);
  });

  it('takes another address for this machine alone', () => {
    expect(isTaken({ baseUrl: 'http://127.0.0.1:8080' })).toBe(true);
    expect(isTaken({ baseUrl: 'https://api-1a2b3c4d.duosecurity.com' })).toBe(false);
    expect(isTaken({ baseUrl: 'http://192.0.2.1' })).toBe(false);
    expect(duo.urls).toContain('baseUrl');
  });

  it('advises against asking more often than once a minute', () => {
    const notices = (poll: string) => duo.notices(duo.schema.parse({ ...written, poll }), 'sources.duo');
    expect(notices('59s')).toEqual([expect.stringContaining('sources.duo.poll')]);
    expect([...notices('1m'), ...notices('off')]).toEqual([]);
  });
});
