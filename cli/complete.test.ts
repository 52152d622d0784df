import { describe, expect, it } from 'vitest';
import { candidates, filesWanted } from './complete.js';
import { createProgram } from './program.js';

const program = await createProgram([]);
const names = { account: ['marketing', 'sales'], source: ['okta', 'hr'] };
const after = (line: string) => candidates(program, line.split(' '), () => names).map(({ word }) => word);

describe('what may come next on a command line', () => {
  it.each([
    ['pl', ['plan', 'plans']],
    ['events ', ['list', 'show', 'replay', 'import', 'help']],
    ['events list --state d', ['done', 'dead']],
    ['events list --state=d', ['--state=done', '--state=dead']],
    ['--json events list --st', ['--state']],
    ['events list --js', ['--json']],
    ['events list --json --js', []],
    ['events replay --state ', ['waiting', 'done', 'dead']],
    ['stop --account ', ['marketing', 'sales']],
    ['keys list --account s', ['sales']],
    ['subscriptions list --source ', ['okta', 'hr']],
    ['tokens create x --role ap', ['approver']],
    ['keys create --on-leave ', ['revoke', 'successor']],
    ['audit export --format ', ['jsonl', 'csv', 'ocsf']],
    ['completion ', ['bash', 'zsh', 'fish']],
    ['audit verify --file ', [filesWanted]],
    ['events import lea', [filesWanted]],
    ['--config ', [filesWanted]],
    ['offboard ', []],
    ['offboard jane@acme.com --reason ', []],
    ['offboard jane@acme.com --wa', ['--wait']],
    ['nonsense --acc', []],
  ])('%s', (line, expected) => expect(after(line)).toEqual(expected));

  it('is told with what it does', () => {
    expect(candidates(program, ['doc'], () => names)[0]?.about).toContain('can every key');
  });
});
