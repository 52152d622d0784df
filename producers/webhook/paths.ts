/** The value at `data.people[0].email`, own keys only; `$` is the value itself; undefined where there is none. */
export function valueAtPath(value: unknown, path: string): unknown {
  if (path === '$') return value;
  let at = value;
  for (const [, index, name] of path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)) {
    if (typeof at !== 'object' || at === null) return undefined;
    if (index !== undefined) at = Array.isArray(at) ? at[Number(index)] : undefined;
    else at = name !== undefined && Object.hasOwn(at, name) ? (at as Record<string, unknown>)[name] : undefined;
  }
  return at;
}
