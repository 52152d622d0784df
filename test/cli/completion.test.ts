import { execFile } from 'node:child_process';
import { access, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// The scripts in the shells themselves. bash is everywhere; the others are tried where they are installed.

const main = join(import.meta.dirname, '../../dist/cli/main.js');
const shells = await Promise.all(
  ['bash', 'zsh', 'fish'].map(async (name) => ({ name, isThere: await isInstalled(name) })),
);
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sendoff-completion-'));
  await writeFile(join(dir, 'sendoff'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  await chmod(join(dir, 'sendoff'), 0o755);
  // The rest of it is not valid, which is nothing to somebody who completes a name.
  await writeFile(join(dir, 'sendoff.yaml'), 'accounts: { marketing: {}, sales: {} }\nsources: { okta: {} }\n');
  await writeFile(join(dir, 'leavers of may.csv'), '');
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function isInstalled(name: string): Promise<boolean> {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    if (
      await access(join(folder, name)).then(
        () => true,
        () => false,
      )
    )
      return true;
  }
  return false;
}

function run(shell: string, args: string[]): Promise<string> {
  const env = { PATH: `${dir}:${process.env.PATH}`, HOME: dir, TERM: 'xterm' };
  return new Promise((resolve, reject) => {
    execFile(shell, args, { cwd: dir, env }, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`${error.message}\n${stderr}`)),
    );
  });
}

/** As bash does it when the tabulator is pressed at the end of each line; the script is sourced twice, as by two files. */
async function inBash(...lines: string[]): Promise<string[][]> {
  const script = `
    for again in 1 2; do source <(sendoff completion bash); done
    offer=$(complete -p sendoff | sed 's/.*-F \\([^ ]*\\).*/\\1/')
    for line in "$@"; do
      COMP_LINE=$line COMP_POINT=\${#line}
      $offer sendoff
      for word in "\${COMPREPLY[@]}"; do printf '%s|' "$word"; done
      echo
    done`;
  const answers = (await run('bash', ['--norc', '-c', script, 'bash', ...lines])).trimEnd().split('\n');
  return answers.map((answer) => answer.split('|').filter((word) => word !== ''));
}

describe('completion in bash', () => {
  const expected: Record<string, string[]> = {
    'sendoff pla': ['plan', 'plans'],
    'sendoff events list --state de': ['dead'],
    // bash has taken `--state=` for a word of its own: what comes after it is replaced.
    'sendoff events list --state=de': ['dead'],
    'sendoff offboard jane@acme.com --wa': ['--wait'],
    'sendoff reconcile --account ': ['marketing', 'sales'],
    'sendoff subscriptions list --source ': ['okta'],
    'sendoff events import lea': ['leavers of may.csv'],
    'sendoff offboard ': [],
  };

  it('offers commands, options, states, names of the configuration and files', async () => {
    const answers = await inBash(...Object.keys(expected), 'sendoff stop --acc');
    expect(answers).toEqual([...Object.values(expected), ['--account']]);
  });

  it('evaluates nothing of what was typed', async () => {
    await inBash('sendoff plan $(touch was-run) `touch was-run`; touch was-run; ');
    await expect(access(join(dir, 'was-run'))).rejects.toThrow();
  });
});

describe.each(shells.filter(({ name }) => name !== 'bash'))('completion in $name', ({ name, isThere }) => {
  it.runIf(isThere)('is a script that the shell takes', async () => {
    const file = join(dir, `script.${name}`);
    await writeFile(file, await run('sendoff', ['completion', name]));
    await run(name, [name === 'fish' ? '--no-execute' : '-n', file]);
  });
});

describe('completion in fish', () => {
  it.runIf(shells.some(({ name, isThere }) => name === 'fish' && isThere))('offers words and files', async () => {
    const asked = (line: string) =>
      run('fish', ['--no-config', '-c', `sendoff completion fish | source; complete -C '${line}'`]);
    expect(await asked('sendoff events list --state de')).toBe('dead\n');
    expect(await asked('sendoff stop --account ')).toBe('marketing\nsales\n');
    expect(await asked('sendoff events rep')).toMatch(/^replay\tplan the person/);
    expect(await asked('sendoff events import lea')).toContain('leavers');
  });
});
