import { describe, expect, test } from 'vitest';
import { settleTls } from './tls.js';

const VERIFY = { rejectUnauthorized: true };
const NO_VERIFY = { rejectUnauthorized: false };

describe('auto', () => {
  test.each([
    ['postgres://u:p@127.0.0.1:5432/d', false],
    ['postgres://u:p@[::1]:5432/d', false],
    ['postgres://u:p@/d?host=/var/run/postgresql', false],
    ['socket:/var/run/postgresql', false],
    ['postgres://u:p@dpg-abc123-a/d', false],
    ['postgres://u:p@10.1.2.3/d', false],
    ['postgres://u:p@db.railway.internal/d', false],
    ['postgres://u:p%40x@ec2-1-2-3-4.compute-1.amazonaws.com:5432/d', VERIFY],
    ['postgres://u:p@dpg-abc123-a.oregon-postgres.render.com/d', VERIFY],
    ['postgres://u:p@54.1.2.3/d', VERIFY],
    ['postgres://u:p@127.0.0.1/d?sslmode=require', VERIFY],
    ['postgres://u:p@db.example.com/d?sslmode=no-verify', NO_VERIFY],
    ['postgres://u:p@db.example.com/d?sslmode=disable', false],
  ])('%s', (url, ssl) => {
    expect(settleTls(url, 'auto').ssl).toEqual(ssl);
  });
});

test('what was decided cannot be overridden by the URL, and the rest of the URL stays', () => {
  const settled = settleTls('postgres://u:p@h.example.com/d?sslmode=disable&application_name=x', 'verify');
  expect(settled).toEqual({ url: 'postgres://u:p@h.example.com/d?application_name=x', ssl: VERIFY });
});

test.each(['sslmode=perhaps', 'sslmode=verify-full&sslrootcert=/nowhere.pem'])('%s is an error of the URL', (query) => {
  expect(() => settleTls(`postgres://h.example.com/d?${query}`, 'auto')).toThrow(
    expect.objectContaining({ code: 'DATABASE_URL_INVALID' }),
  );
});
