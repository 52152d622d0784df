import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayHaveBeenApplied, SendGridNotFound, SendGridOutage, SendGridRefused, wordsOf } from './errors.js';

const failure = { code: 'X', blame: 'remote' } as const;

describe('wordsOf', () => {
  it.each([
    ['{"errors":[{"message":"username not found","field":"username"}]}', 'username not found (username)'],
    ['{"errors":[{"message":"access forbidden","field":null}]}', 'access forbidden'],
    [
      '{"errors":[{"message":"access forbidden","field":"null","error_id":"x","help":{}}],"id":"y"}',
      'access forbidden',
    ],
    ['{"errors":[{"message":"a"},{"message":"b"}]}', 'a; b'],
    ['[{"message":"bare array","field":"scopes"}]', 'bare array (scopes)'],
    ['{"error":"the older shape"}', 'the older shape'],
    ['{"errors":["as texts"]}', 'as texts'],
    ['{"errors":[{}]}', ''],
    ['{}', ''],
    ['null', ''],
    ['', ''],
    ['<html>\r\n\u001b[31mBad gateway</html>', '<html> [31mBad gateway</html>'],
  ])('reads %s', (body, words) => expect(wordsOf(body)).toBe(words));

  it('never fails and never breaks a line, whatever arrives', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (body) => {
        expect(wordsOf(body)).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});

describe('mayHaveBeenApplied', () => {
  it.each([
    [new SendGridRefused('', failure), false],
    [new SendGridNotFound('', failure), false],
    [new SendGridOutage('', false, failure), false],
    [new SendGridOutage('', true, failure), true],
    [new Error('not ours'), true],
  ])('%o', (error, may) => expect(mayHaveBeenApplied(error)).toBe(may));
});
