import type { Config, SourceConfig } from '#shared/config/schema.js';
import { type Directory, DirectoryUnavailable } from './directory.js';
import { createDuoDirectory } from './duo/index.js';
import { createEntraDirectory } from './entra/index.js';
import { createFileDirectory } from './file/index.js';
import { createGoogleDirectory } from './google/index.js';
import { createOktaDirectory } from './okta/index.js';
import { createOneLoginDirectory } from './onelogin/index.js';

/** The directories of the configured sources. */
export interface Directories {
  /** The truth about people. Of several, the first that knows an address owns the person. */
  authorities: readonly Directory[];
  /** Every directory, those of sources that only send hints included. */
  all: readonly Directory[];
  /** @throws DirectoryUnavailable when the configuration names it no longer: nothing is concluded from that */
  of(name: string): Directory;
  /** Whose ids a source's ids are; null: nobody's that could be asked. */
  idsOf(source: string): Directory | null;
}

/** The registry: source type -> its directory; null: this source, so configured, has none. */
const types: {
  [Type in SourceConfig['type']]: (name: string, source: Extract<SourceConfig, { type: Type }>) => Directory | null;
} = {
  okta: createOktaDirectory,
  entra: createEntraDirectory,
  google: createGoogleDirectory,
  onelogin: createOneLoginDirectory,
  duo: createDuoDirectory,
  ssf: () => null,
  webhook: () => null,
  file: createFileDirectory,
};

export function createDirectories({ sources, authority }: Pick<Config, 'sources' | 'authority'>): Directories {
  const byName = new Map<string, Directory>();
  for (const [name, source] of Object.entries(sources)) {
    const create = types[source.type] as (name: string, source: SourceConfig) => Directory | null;
    const directory = create(name, source);
    if (directory !== null) byName.set(name, directory);
  }
  const of = (name: string): Directory => {
    const directory = byName.get(name);
    if (directory !== undefined) return directory;
    throw new DirectoryUnavailable(`the configuration names no directory ${name} any more`, 60_000, {
      code: 'DIRECTORY_UNKNOWN',
      blame: 'input',
      remedy: `configure sources.${name} again, or run \`sendoff offboard\` for whoever left`,
    });
  };
  return {
    authorities: authority.map(of),
    all: [...byName.values()],
    of,
    idsOf(name) {
      const source = Object.hasOwn(sources, name) ? sources[name] : undefined;
      const ids = source !== undefined && 'ids' in source ? (source.ids as string | undefined) : undefined;
      return byName.get(ids ?? name) ?? null;
    },
  };
}
