import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, SendoffError } from '#shared/errors.js';

/** Whom PostgreSQL runs as, when it is not Sendoff's own user. */
export interface Account {
  uid: number;
  gid: number;
}

const run = promisify(execFile);
const OWN_USER = 'sendoff-pg';

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * PostgreSQL refuses to run as root, and initdb refuses a uid without a name: as root, an unprivileged user is
 * looked up or created. null when Sendoff is not root.
 * @throws SendoffError EMBEDDED_NO_USER when there is none and none can be created.
 */
export async function findAccount(): Promise<Account | null> {
  if (!isRoot()) return null;
  const found = (await lookUp(OWN_USER)) ?? (await lookUp('postgres'));
  if (found !== null) return found;
  const failure = await create();
  const created = (await lookUp(OWN_USER)) ?? (await lookUp('nobody'));
  if (created !== null) return created;
  throw new SendoffError('PostgreSQL does not run as root, and no user for it could be created', {
    code: 'EMBEDDED_NO_USER',
    blame: 'input',
    remedy: `Run Sendoff as an ordinary user, or create one for its database: useradd --system ${OWN_USER}`,
    facts: { error: failure },
  });
}

/** May the account enter this folder and every one above it? */
export async function canEnter(account: Account, path: string): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    const { uid, gid, mode } = await stat(folder);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

async function lookUp(name: string): Promise<Account | null> {
  try {
    // `id` also knows users that are not in /etc/passwd (LDAP, sssd).
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    const account = { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    return account.uid > 0 ? account : null;
  } catch {
    return null;
  }
}

/** Debian and Red Hat have useradd, Alpine and BusyBox adduser. Gives the error, or null. */
async function create(): Promise<string | null> {
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', OWN_USER]);
    return null;
  } catch (error) {
    return run('adduser', ['-S', '-D', '-H', OWN_USER]).then(
      () => null,
      () => messageOf(error),
    );
  }
}
