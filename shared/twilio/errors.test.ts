import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { problemOf } from './errors.js';

const scim = { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'] };

describe('problemOf', () => {
  it.each([
    [
      'SCIM’s object with Twilio’s code',
      { ...scim, detail: 'User not found', status: '404', code: 25008 },
      { words: 'User not found', twilioCode: 25008, isScim: true },
    ],
    [
      'SCIM’s object alone',
      { ...scim, detail: 'no', status: '400', scimType: 'invalidFilter' },
      { words: 'no', twilioCode: null, isScim: true },
    ],
    [
      'Twilio’s usual object',
      { code: 20003, message: 'Authenticate', more_info: 'https://x', status: 401 },
      { words: 'Authenticate', twilioCode: 20003, isScim: false },
    ],
    [
      'OAuth’s object',
      { error: 'invalid_grant', error_description: 'expired' },
      { words: 'invalid_grant: expired', twilioCode: null, isScim: false },
    ],
    ['fields of other types', { code: 'x', detail: 7, schemas: 'y' }, { words: '', twilioCode: null, isScim: false }],
  ])('reads %s', (_, body, problem) => {
    expect(problemOf(JSON.stringify(body))).toEqual(problem);
  });

  it('takes any other text as it is, on one line', () => {
    expect(problemOf('<html>\n\u001b[31mBad\tGateway\u2028 ')).toEqual({
      words: '<html> [31mBad Gateway',
      twilioCode: null,
      isScim: false,
    });
  });

  it('never fails, and never gives two lines', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
        expect(problemOf(body).words).not.toMatch(/[\n\r]/);
      }),
    );
  });
});
