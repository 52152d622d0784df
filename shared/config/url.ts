/** The two regions of SendGrid: no key is ever sent anywhere else. */
export const sendGridUrls = ['https://api.sendgrid.com', 'https://api.eu.sendgrid.com'];

/** Plain http to this machine: for tests and demos, and only under SENDOFF_ENV=test (relations.ts sees to it). */
export function isLoopback(text: string): boolean {
  const url = parse(text);
  return url?.protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
}

/** Scheme, host and port, nothing else: no userinfo, no path, no query. */
export function isOrigin(text: string): boolean {
  const url = parse(text);
  if (url === null) return false;
  const extras = [url.username, url.password, url.search, url.hash].join('');
  return extras === '' && url.pathname === '/' && !/[?#@]/.test(text);
}

/** An https origin on the usual port, as an IdP gives to its customers. */
export function isHttpsOrigin(text: string): boolean {
  const url = parse(text);
  return url?.protocol === 'https:' && url.port === '' && isOrigin(text);
}

export function isSendGridUrl(text: string): boolean {
  return isHttpsOrigin(text) && sendGridUrls.includes(originOf(text));
}

/** `https://API.sendgrid.com/` becomes `https://api.sendgrid.com`. */
export function originOf(text: string): string {
  return parse(text)?.origin ?? text;
}

function parse(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}
