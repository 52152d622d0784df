import type { GoogleSource } from '#shared/config/sources/google.js';

/** The library knows no other; tests have theirs. */
const googlesTokenUrl = 'https://oauth2.googleapis.com/token';
const maxBytes = 32 * 1024 * 1024;

/** `fetch` for Google's libraries: to the two configured origins only, no redirects, answers of bounded size. */
export function guardedFetch({ baseUrl, tokenUrl }: Pick<GoogleSource, 'baseUrl' | 'tokenUrl'>): typeof fetch {
  return async (input, init) => {
    const asked = String(input);
    const url = new URL(asked === googlesTokenUrl ? `${tokenUrl}/token` : asked);
    if (url.origin !== baseUrl && url.origin !== tokenUrl) throw new Error(`${url.origin} is not to be asked`);
    const response = await fetch(url, { ...init, redirect: 'error' });
    const headers = new Headers();
    for (const name of ['content-type', 'retry-after']) {
      const value = response.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    const body = await read(response);
    return new Response(body.length === 0 ? null : body, { status: response.status, headers });
  };
}

async function read(response: Response): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Error(`an answer of more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
