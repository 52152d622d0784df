import { WaitError } from '#shared/errors.js';
import type { DirectoryPerson, Standing } from '#shared/lifecycle/types.js';

/** What the directory says of one id. Everything else is thrown as `DirectoryUnavailable`. */
export type DirectoryAnswer =
  | { kind: 'found'; person: DirectoryPerson }
  /** The id answered "not found" and a control look-up in the same directory succeeded (design.md, evidence). */
  | { kind: 'not-found' };

/** One line of `sendoff doctor`. */
export interface Check {
  name: string;
  ok: boolean;
  detail: string;
  /** What to do when it is not ok; empty when it is. */
  remedy: string;
}

/** A person as the whole list gives them. */
export interface ListedPerson {
  directoryId: string;
  standing: Standing;
  emails: string[];
  assigned: boolean | null;
  /** null: the directory does not list members of groups. */
  groups: string[] | null;
}

/** The read side of a source: who is this person, now. */
export interface Directory {
  /** The source's name in the configuration. */
  readonly name: string;
  /**
   * Reads one person by the directory's immutable id.
   * @throws DirectoryUnavailable for anything but a clear answer
   */
  read(directoryId: string): Promise<DirectoryAnswer>;
  /**
   * Everyone who holds this address now, in any standing, compared without case; [] when the directory answers and
   * nobody does.
   * @throws DirectoryUnavailable for anything but a clear answer
   */
  findByEmail(email: string): Promise<DirectoryPerson[]>;
  /**
   * Names of the groups that somebody is still in who is not active any more: they give nothing, but say where the
   * person was.
   * @throws DirectoryUnavailable for anything but a clear answer
   */
  groupsLeft(directoryId: string): Promise<string[]>;
  /**
   * Everybody whom the directory lists, page by page; the deactivated may be left out, as Okta's list does. Not for
   * decisions: it says where to look closer.
   * @param groups whose members are wanted; `groups` of a person then holds those of them
   * @throws DirectoryUnavailable when it could not be read to its end: half a list is none
   */
  list(groups: readonly string[]): AsyncGenerator<ListedPerson[]>;
  /**
   * Can the credentials do what the configuration needs? Never throws.
   * @param groups that grants name
   */
  doctor(groups?: readonly string[]): Promise<Check[]>;
}

/** The directory gave no clear answer: unknown, which is never "gone". The event waits. */
export class DirectoryUnavailable extends WaitError {}
