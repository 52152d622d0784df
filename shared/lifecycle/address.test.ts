import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressesIn, canonicalAddress, fillTemplate, originsOf } from './address.js';

describe('fillTemplate', () => {
  it.each([
    ['{email}', 'Jane@acme.com', 'Jane@acme.com'],
    ['{local}+mkt@{domain}', 'jane@acme.com', 'jane+mkt@acme.com'],
    ['{local}@mkt.acme.com', 'jane@acme.com', 'jane@mkt.acme.com'],
    ['{local}.{local}@{domain}', 'jane@acme.com', 'jane.jane@acme.com'],
    ['{local}@{domain}', 'odd"@"name@acme.com', 'odd"@"name@acme.com'],
  ])('%s makes of %s: %s', (template, email, filled) => {
    expect(fillTemplate(template, email)).toBe(filled);
  });

  it('takes an address literally, whatever it holds', () => {
    expect(fillTemplate('{email}', 'a$$b@acme.com')).toBe('a$$b@acme.com');
    expect(fillTemplate('{email}', '{domain}@acme.com')).toBe('{domain}@acme.com');
  });
});

describe('addressesIn', () => {
  it('knows a person by their addresses and by what the template makes of each, without case', () => {
    expect([...addressesIn('{local}+mkt@{domain}', ['Jane@Acme.com', 'jd@acme.com'])]).toEqual([
      'jane@acme.com',
      'jane+mkt@acme.com',
      'jd@acme.com',
      'jd+mkt@acme.com',
    ]);
  });

  it('makes nothing of what is no address: an empty one would be everybody’s', () => {
    expect([...addressesIn('{local}+mkt@{domain}', ['', '@', 'jane', 'jane@', '@acme.com', 'a b@acme.com'])]).toEqual(
      [],
    );
  });
});

describe('originsOf', () => {
  it.each([
    ['{email}', 'Jane@Acme.com', ['jane@acme.com']],
    ['{local}+mkt@{domain}', 'jane+mkt@acme.com', ['jane+mkt@acme.com', 'jane@acme.com']],
    ['{local}+mkt@{domain}', 'jane@acme.com', ['jane@acme.com']],
    ['{local}+mkt@{domain}', 'jane+mkt+mkt@acme.com', ['jane+mkt+mkt@acme.com', 'jane+mkt@acme.com']],
    ['{LOCAL}+MKT@{domain}', 'jane+mkt@acme.com', ['jane+mkt@acme.com', 'jane@acme.com']],
    ['sg-{email}', 'sg-jane@acme.com', ['sg-jane@acme.com', 'jane@acme.com']],
    ['{local}.{local}@{domain}', 'jane.jane@acme.com', ['jane.jane@acme.com', 'jane@acme.com']],
    ['{local}.{local}@{domain}', 'jane.kim@acme.com', ['jane.kim@acme.com']],
    ['{local}.x@{domain}', 'janeyx@acme.com', ['janeyx@acme.com']],
  ])('by %s, %s may come from %j', (template, address, origins) => {
    expect(originsOf(template, address)).toEqual(origins);
  });

  it('leads back to whomever the template made the address of', () => {
    const part = fc.stringMatching(/^[a-z0-9][a-z0-9.+_-]{0,8}$/);
    const template = fc.constantFrom(
      '{email}',
      '{local}+mkt@{domain}',
      'x.{local}@{domain}',
      '{local}-{local}@{domain}',
    );
    fc.assert(
      fc.property(part, part, template, (local, domain, one) => {
        const email = `${local}@${domain}`;
        expect(originsOf(one, fillTemplate(one, email))).toContain(canonicalAddress(email));
      }),
    );
  });
});
