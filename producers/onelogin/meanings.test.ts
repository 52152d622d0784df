import { describe, expect, it } from 'vitest';
import { type Meaning, meaningfulTypes, meaningOf } from './meanings.js';

const named = (name: string, type = 9_999) => meaningOf(type, new Map([[type, name]]));

describe('producers/onelogin/meanings', () => {
  it.each<[Meaning, number[]]>([
    ['joined', [13, 48, 33, 533]],
    ['reactivated', [16, 32]],
    ['suspended', [15, 21, 551]],
    ['terminated', [17, 28, 530]],
    ['moved', [14, 529, 110, 4, 147, 149, 513, 148, 150, 514]],
    ['assigned', [206]],
    ['unassigned', [207]],
    ['many', [1, 2]],
  ])('without a table, the published numbers mean %s', (meaning, types) => {
    for (const type of types) expect(meaningOf(type, null), String(type)).toBe(meaning);
  });

  it.each([5, 6, 8, 12, 19, 40, 50, 51, 55, 72, 73, 80, 84, 102, 120, 531, 532, 553])(
    'type %i is about nobody’s access',
    (type) => {
      expect(meaningOf(type, null)).toBeNull();
    },
  );

  it.each<[string, Meaning | null]>([
    ['USER_DELETED', 'terminated'],
    ['DELETED_USER', 'terminated'],
    ['DESTROYED_USER_VIA_API', 'terminated'],
    ['USER_RECENTLY_REMOVED', 'terminated'],
    ['USER_SUSPENDED_BY_API', 'suspended'],
    ['DEACTIVATED_USER', 'suspended'],
    ['USER_REACTIVATED', 'reactivated'],
    ['USER_IMPORTED_FROM_DIRECTORY', 'joined'],
    ['UPDATED_USER', 'moved'],
    ['USER_ASSIGNED_ROLE', 'moved'],
    ['USER_AUTOMATICALLY_REMOVED_FROM_ROLE', 'moved'],
    ['APP_REMOVED_FROM_ROLE', 'many'],
    ['USER_LOGGED_INTO_ONELOGIN', null],
    ['USER_DELETED_IN_APP', null],
    ['USER_SUSPENDED_IN_DIRECTORY', null],
    ['USER_DELETION_FAILED_IN_APP', null],
    ['USER_DELETED_SECURE_NOTE', null],
    ['DIRECTORY_CREATED', null],
    ['POLICY_DELETED', null],
    ['CONSTRUCTOR', null],
  ])('%s means %s, whatever its number', (name, meaning) => {
    expect(named(name)).toBe(meaning);
  });

  it('two accounts whose tables disagree on 531 and 532 are each read by their own', () => {
    const one = new Map([
      [531, 'LOCKED_USER_VIA_API'],
      [532, 'SUSPENDED_USER_VIA_API'],
    ]);
    const other = new Map([
      [531, 'SUSPENDED_USER_VIA_API'],
      [532, 'LOCKED_USER_VIA_API'],
    ]);
    expect([531, 532].map((type) => meaningOf(type, one))).toEqual([null, 'suspended']);
    expect([531, 532].map((type) => meaningOf(type, other))).toEqual(['suspended', null]);
  });

  it('a name stands above the number, and a number above a wording that is not known', () => {
    expect(named('USER_LOCKED', 17)).toBeNull();
    expect(named('RADIUS_CONFIGURATION_DELETED', 17)).toBeNull();
    expect(named('FAILED_TO_DELETE_USER', 17)).toBeNull();
    expect(named('USER_HAS_LEFT_THE_BUILDING', 17)).toBe('terminated');
  });

  it('asks for what the table adds and not for what it takes away', () => {
    const types = meaningfulTypes(
      new Map([
        [17, 'USER_LOCKED'],
        [900, 'DELETED_USER'],
        [901, 'USER_LOGGED_INTO_APP'],
      ]),
    );
    expect(types).toContain(900);
    expect(types).toContain(13);
    expect(types).not.toContain(17);
    expect(types).not.toContain(901);
  });
});
