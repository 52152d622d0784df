import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configJsonSchema, configJsonSchemaText, type JsonSchema } from './json-schema.js';

const committed = new URL('../../sendoff.schema.json', import.meta.url);

const groups = groupsOf(configJsonSchema(), '');

describe('sendoff.schema.json', () => {
  it('is what the zod schema makes of itself', () => {
    expect(readFileSync(committed, 'utf8'), 'out of date: run `npm run schema` and commit sendoff.schema.json').toBe(
      configJsonSchemaText(),
    );
  });

  it('describes every key, so that editors help', () => {
    const keys = groups.flatMap(({ path, schema }) =>
      Object.entries(schema.properties ?? {}).map(([name, key]) => ({ path: `${path}.${name}`, key })),
    );
    expect(keys.length).toBeGreaterThan(50);
    expect(keys.filter(({ key }) => key.description === undefined).map(({ path }) => path)).toEqual([]);
  });

  it('refuses unknown keys everywhere', () => {
    expect(groups.length).toBeGreaterThan(10);
    expect(groups.filter(({ schema }) => schema.additionalProperties !== false).map(({ path }) => path)).toEqual([]);
  });
});

function groupsOf(schema: JsonSchema, path: string): { path: string; schema: JsonSchema }[] {
  const inner = [
    ...Object.entries(schema.properties ?? {}).map(([name, value]) => ({ name, value })),
    ...[schema.additionalProperties, schema.items, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].map((value) => ({
      name: '*',
      value,
    })),
  ];
  return [
    ...(schema.properties === undefined ? [] : [{ path, schema }]),
    ...inner.flatMap(({ name, value }) => (typeof value === 'object' ? groupsOf(value, `${path}.${name}`) : [])),
  ];
}
