import { DirectoryUnavailable } from '#shared/directory/directory.js';
import { type GraphClient, type GraphPage, graphStatus } from '#shared/directory/entra/client.js';
import type { NormalizedEntry } from '#shared/lifecycle/types.js';
import { CursorLost, type PollStream } from '../source.js';
import { type Disabled, deltaGroup, deltaMember, deltaNested, deltaUser } from './normalize.js';
import { DeltaMember } from './schema.js';

export const usersTask = 'users-delta';
export const groupsTask = 'groups-delta';

/** What is left then is asked for next time: the place is kept. */
const maxPages = 200;
/** Of nested groups, while a page waits to be stored. */
const maxNestedPages = 10;

/** What is selected is what is watched (idp-events.md §2.5): nothing else may change unseen. */
const userFields = 'accountEnabled,mail,userPrincipalName,otherMails,proxyAddresses,givenName,surname,manager';
const groupFields = 'displayName,members';

type ToEntries = (items: unknown[], link: string) => Promise<NormalizedEntry[]>;

/** Users and groups as they changed; each has its own place. */
export function deltaStreams(graph: GraphClient, everyMs: number, disabled: Disabled): PollStream[] {
  const stream = (task: string, path: string, toEntries: ToEntries): PollStream => ({
    task,
    everyMs,
    pages: (cursor) => pages(graph, cursor, path, toEntries),
  });
  return [
    stream(usersTask, `/users/delta?$select=${userFields}`, async (items, link) =>
      items.map((item) => deltaUser(item, link, disabled)),
    ),
    stream(groupsTask, `/groups/delta?$select=${groupFields}`, (items, link) => groupEntries(graph, items, link)),
  ];
}

/**
 * From now on when there is no place yet, or none any more: who went missing meanwhile is found by the comparison with the
 * directory, person by person. Graph may repeat itself and knows no order, which hints can bear.
 */
async function* pages(graph: GraphClient, cursor: string | null, path: string, toEntries: ToEntries) {
  let link: string | null = cursor ?? `${path}&$deltatoken=latest`;
  for (let count = 0; link !== null && count < maxPages; count += 1) {
    const page: GraphPage = await ask(graph, link, cursor !== null);
    const after = page.next ?? page.delta;
    if (after === null) throw unfinished(path);
    yield { entries: await toEntries(page.items, link), cursor: after };
    link = page.next;
  }
}

async function ask(graph: GraphClient, link: string, isKept: boolean): Promise<GraphPage> {
  // Of another cloud than is configured now.
  if (isKept && !link.startsWith(`${graph.origin}/`)) throw new CursorLost('the place is another Graph’s');
  try {
    return await graph.page(link);
  } catch (error) {
    const { status, errorCode } = graphStatus(error);
    const isLost = status === 410 || (status !== null && /^(syncState|resync)/i.test(errorCode ?? ''));
    if (isKept && isLost) throw new CursorLost('Graph no longer knows the delta token');
    throw error;
  }
}

/** Members named one by one; a nested group stands for everybody in it. */
async function groupEntries(graph: GraphClient, items: unknown[], link: string): Promise<NormalizedEntry[]> {
  const read = items.map((item) => deltaGroup(item, link));
  const entries = read.flatMap((one) => one.entries);
  const nested = new Map(read.flatMap((one) => one.nested).map((member) => [member.id, member]));
  let pagesLeft = maxNestedPages;
  for (const member of nested.values()) {
    let page: GraphPage | null = null;
    let next: string | null = `/groups/${encodeURIComponent(member.id)}/transitiveMembers?$select=id&$top=999`;
    for (; next !== null && pagesLeft > 0; pagesLeft -= 1) {
      page = await pageOrNone(graph, next);
      next = page?.next ?? null;
      for (const one of page?.items ?? []) {
        const inner = DeltaMember.safeParse(one);
        if (inner.success && /\.user$/i.test(inner.data['@odata.type'] ?? '')) {
          entries.push(deltaMember(inner.data, member.id, link));
        }
      }
    }
    if (page === null || next !== null) entries.push(deltaNested(member, link));
  }
  return entries;
}

async function pageOrNone(graph: GraphClient, path: string): Promise<GraphPage | null> {
  try {
    return await graph.page(path);
  } catch (error) {
    if (graphStatus(error).status === 404) return null;
    throw error;
  }
}

function unfinished(path: string): DirectoryUnavailable {
  return new DirectoryUnavailable(`Graph gave no place behind ${path.split('?')[0]}`, 30_000, {
    code: 'DIRECTORY_UNCLEAR',
    blame: 'remote',
  });
}
