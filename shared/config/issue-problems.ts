import type { z } from 'zod';
import type { Finding } from './finding.js';
import { remedyForKey } from './known-keys.js';
import { nearest } from './nearest.js';

const typeNames: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of keys',
  record: 'a group of keys',
};

/** What zod found, in the operator's words. A value is never repeated: it could be a secret in the wrong place. */
export function findingsOf(issue: z.core.$ZodIssue, raw: unknown): Finding[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      text: `there is no such key (${remedyForKey(path, key)})`,
      isKey: true,
    }));
  }
  const value = valueAt(raw, path);
  if (value === undefined) return [{ path, text: `is missing (add it ${placeOf(path)})` }];
  if (value === null)
    return [
      {
        path,
        text:
          path.length === 0
            ? 'the file is empty (copy sendoff.example.yaml)'
            : 'has no value (write one behind the colon, or remove the key)',
      },
    ];
  if (issue.code === 'invalid_value') return [{ path, text: amongText(issue.values.map(String), value) }];
  if (issue.code === 'invalid_key') return [{ path, text: issue.issues[0]?.message ?? issue.message, isKey: true }];
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    const wanted = typeNames[issue.expected] ?? issue.expected;
    return [
      { path, text: `should be ${wanted}, not ${typeOf(value)} (correct it; sendoff.example.yaml shows every key)` },
    ];
  }
  return [{ path, text: issue.message }];
}

/** The value at a path of plain data; undefined where there is none. */
export function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function amongText(allowed: string[], value: unknown): string {
  const [only] = allowed;
  if (allowed.length === 1) return `must be ${only} (write ${only})`;
  const near = typeof value === 'string' ? nearest(value, allowed) : null;
  return `is none of ${allowed.join(', ')} (${near === null ? 'write one of them' : `did you mean ${near}?`})`;
}

function placeOf(path: readonly PropertyKey[]): string {
  return path.length <= 1 ? 'at the top level' : `under ${path.slice(0, -1).join('.')}`;
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (Number.isInteger(value)) return 'a whole number';
  return (
    { string: 'a text', number: 'a number', boolean: 'true or false' }[typeof value as string] ?? 'a group of keys'
  );
}
