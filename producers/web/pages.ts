import { createHash } from 'node:crypto';

// The two pages that exist before the console: plain HTML, no script, readable with styles off.

const style = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 26rem; margin: 12vh auto; padding: 0 1rem; }
  label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit; }
  input, button { padding: .5rem; margin: .25rem 0 1rem; }
  .problem { color: light-dark(#a40000, #ff8a80); }
`;

/** @param problem why the last attempt failed @param byName an identity provider is configured */
export function signInPage(problem: string | null, byName: boolean): string {
  return page(
    'Sign in to Sendoff',
    `${problem === null ? '' : `<p class="problem" role="alert">${escapeHtml(problem)}</p>`}
    ${byName ? '<p><a class="button" href="/sign-in/by-name">Sign in with your company account</a></p><hr>' : ''}
    <form method="post" action="/sign-in">
      <label for="token">Admin token</label>
      <input id="token" name="token" type="password" autocomplete="current-password" required${byName ? '' : ' autofocus'}>
      <button>Sign in</button>
    </form>
    <p>The token is <code>SENDOFF_ADMIN_TOKEN</code>, or what <code>sendoff up</code> printed at its first start.</p>`,
  );
}

export function homePage({ actor, role }: { actor: string; role: string }): string {
  return page(
    'Sendoff',
    `<p>Signed in as ${escapeHtml(actor)} (${role}).</p>
    <ul>
      <li><a href="/queues">Queues</a>: what is waiting, running and failed; failed jobs can be retried</li>
      <li><a href="/metrics">Metrics</a> for Prometheus</li>
      <li><a href="/readyz">Readiness</a></li>
      <li><a href="/api/openapi.json">API</a>: everything the command line does</li>
    </ul>
    <p>Events, plans, actions and the audit trail: <code>sendoff events list</code>, <code>plans list</code>,
    <code>actions list</code>, <code>audit export</code>.</p>
    <form method="post" action="/sign-out"><button>Sign out</button></form>`,
  );
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <link rel="icon" href="data:,">
  <title>${escapeHtml(title)}</title>
  <style>${style}</style>
</head>
<body>
  <h1>${escapeHtml(title)}</h1>
  ${body}
</body>
</html>
`;
}

/** Lets the pages' style sheet, and no other, through the Content-Security-Policy. */
export const pageStyleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`;

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
