import { setTimeout as sleep } from 'node:timers/promises';
import type { RosterConfig } from '#shared/config/sources/file.js';
import { messageOf } from '#shared/errors.js';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import type { DirectoryPerson } from '#shared/lifecycle/types.js';
import { DirectoryUnavailable } from '../directory.js';
import { personOf, rosterColumns } from './schema.js';
import { type FileState, fileState, openTable, sameFile } from './table.js';
import { TableChanged } from './table-parts.js';

const maxBytes = 64 * 2 ** 20;
const retryMs = 30_000;
/** A file that is being written is read again so often. */
const readings = 4;
const betweenReadingsMs = 250;
/** Younger than this a file may be half of what is being written, or change once more without looking changed. */
const settledMs = 2_000;

/** Everybody, as one whole reading of the file gave them. */
export interface RosterBook {
  byId: ReadonlyMap<string, DirectoryPerson>;
  byAddress: ReadonlyMap<string, readonly DirectoryPerson[]>;
  writtenAt: Date;
}

/** The roster as the file is now; one that has not changed is not read again. */
export interface RosterFile {
  /** @throws DirectoryUnavailable for anything but a whole file in which every row can be read */
  read(): Promise<RosterBook>;
  /**
   * The same for a "no": who is missing from a file that was written a moment ago may be in the part that is not.
   * @throws DirectoryUnavailable then too
   */
  readSettled(): Promise<RosterBook>;
}

export function createRosterFile(name: string, roster: RosterConfig): RosterFile {
  let kept: { state: FileState; book: RosterBook } | null = null;
  let reading: Promise<RosterBook> | null = null;

  const refresh = async (): Promise<RosterBook> => {
    const state = await fileState(roster.path);
    if (kept !== null && sameFile(kept.state, state)) return kept.book;
    kept = null;
    const book = await readWhole(name, roster, new Date(Number(state.mtimeNs / 1_000_000n)));
    if (isSettled(book)) kept = { state, book };
    return book;
  };
  const read = async (): Promise<RosterBook> => {
    reading ??= refresh().finally(() => {
      reading = null;
    });
    try {
      return await reading;
    } catch (error) {
      throw error instanceof DirectoryUnavailable ? error : unclear(name, messageOf(error));
    }
  };
  return {
    read,
    async readSettled() {
      const book = await read();
      if (isSettled(book)) return book;
      throw unclear(name, `${roster.path} was written a moment ago, and may not be whole yet`, settledMs);
    },
  };
}

function isSettled({ writtenAt }: RosterBook): boolean {
  return Math.abs(Date.now() - writtenAt.getTime()) > settledMs;
}

async function readWhole(name: string, roster: RosterConfig, writtenAt: Date): Promise<RosterBook> {
  for (let turn = 1; ; turn += 1) {
    try {
      return await readOnce(name, roster, writtenAt);
    } catch (error) {
      if (!(error instanceof TableChanged) || turn === readings) throw error;
      await sleep(betweenReadingsMs);
    }
  }
}

async function readOnce(name: string, roster: RosterConfig, writtenAt: Date): Promise<RosterBook> {
  const byId = new Map<string, DirectoryPerson>();
  const byAddress = new Map<string, DirectoryPerson[]>();
  const { path, format } = roster;
  for await (const row of openTable({ path, format, columns: rosterColumns(roster), maxBytes, ended: true }).rows()) {
    const person = personOf(roster, row);
    if (typeof person === 'string') throw unclear(name, `row ${row.number} of ${path} ${person}`);
    if (byId.has(person.directoryId)) throw unclear(name, `row ${row.number} of ${path} has the id of another row`);
    byId.set(person.directoryId, person);
    for (const email of person.emails.map(canonicalAddress))
      byAddress.set(email, [...(byAddress.get(email) ?? []), person]);
  }
  if (byId.size < roster.atLeast) {
    const people = byId.size === 0 ? 'nobody' : `${byId.size} people`;
    throw unclear(name, `${path} holds ${people}, and at least ${roster.atLeast} must be there (roster.atLeast)`);
  }
  return { byId, byAddress, writtenAt };
}

function unclear(name: string, why: string, delayMs = retryMs): DirectoryUnavailable {
  return new DirectoryUnavailable(`the directory ${name} gave no clear answer: ${why}`, delayMs, {
    code: 'DIRECTORY_UNCLEAR',
    blame: 'remote',
  });
}
