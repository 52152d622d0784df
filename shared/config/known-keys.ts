import { configJsonSchema, type JsonSchema } from './json-schema.js';
import { nearest } from './nearest.js';

/** What to do about a key that doesn't exist: the nearest of its section, or where that key belongs, else remove it. */
export function remedyForKey(path: readonly PropertyKey[], unknown: string): string {
  const schema = configJsonSchema();
  const here = path.reduce<JsonSchema[]>(
    (sections, key) => sections.flatMap((section) => into(section, String(key))),
    variantsOf(schema),
  );
  const near = nearest(
    unknown,
    here.flatMap((section) => Object.keys(section.properties ?? {})),
  );
  if (near !== null) return `did you mean ${near}?`;
  const elsewhere = placesOf(schema, unknown, []);
  return elsewhere.length === 0 ? 'remove it' : `it belongs to ${elsewhere.join(' or ')}`;
}

function into(section: JsonSchema, key: string): JsonSchema[] {
  const own =
    section.properties !== undefined && Object.hasOwn(section.properties, key) ? section.properties[key] : undefined;
  return variantsOf(own ?? section.items ?? others(section));
}

/** Where in the file a key of this name exists. */
function placesOf(section: JsonSchema, key: string, path: string[]): string[] {
  return variantsOf(section).flatMap((variant) => [
    ...Object.entries(variant.properties ?? {}).flatMap(([name, inner]) => [
      ...(name === key ? [path.join('.') || 'the top level'] : []),
      ...placesOf(inner, key, [...path, name]),
    ]),
    ...placesIn(others(variant), key, [...path, '<name>']),
    ...placesIn(variant.items, key, path),
  ]);
}

function placesIn(section: JsonSchema | undefined, key: string, path: string[]): string[] {
  return section === undefined ? [] : placesOf(section, key, path);
}

function variantsOf(section: JsonSchema | undefined): JsonSchema[] {
  if (section === undefined) return [];
  return [section, ...(section.anyOf ?? []), ...(section.oneOf ?? [])];
}

/** What the values of a section with free names look like. */
function others({ additionalProperties }: JsonSchema): JsonSchema | undefined {
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}
