import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';

/** What each kind of change shows in, by the beginnings of the paths that are asked for. */
const shownIn: Record<string, string[]> = {
  events: ['/events', '/overview', '/people/'],
  plans: ['/plans', '/todos', '/overview', '/people/', '/events/'],
  actions: ['/actions', '/plans', '/overview', '/people/'],
  accounts: ['/accounts', '/stops', '/keys', '/overview'],
  reconciliations: ['/reconciliations', '/overview'],
  replays: ['/events/replays'],
  alerts: ['/alerts'],
  audit: ['/audit', '/plans', '/people/'],
};
const told = [...new Set(Object.values(shownIn).flat())];
const shortestWaitMs = 5_000;
const longestWaitMs = 60_000;

let live = false;
const listeners = new Set<() => void>();

/** A beginning that ends in a slash is about one thing of many, and a search is not. */
function begins(path: string, beginning: string): boolean {
  return path.startsWith(beginning) && !(beginning.endsWith('/') && path.endsWith('/search'));
}

function setLive(is: boolean): void {
  if (live === is) return;
  live = is;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Does the server say by itself when this changes? Then it need not be asked every few seconds. */
export function useIsTold(path: string): boolean {
  const isLive = useSyncExternalStore(subscribe, () => live);
  return isLive && told.some((beginning) => begins(path, beginning));
}

/**
 * Hears from the server what changed, and asks for just that again. Only while the page can be seen: a browser has six
 * connections to a host without HTTP/2, and each tab would hold one for good.
 */
export function useChangeStream(): void {
  const queries = useQueryClient();
  useEffect(() => {
    let source: EventSource | null = null;
    let timer = 0;
    let waitMs = shortestWaitMs;

    const askAgain = (beginnings: string[]) =>
      queries.invalidateQueries({
        predicate: ({ queryKey: [path] }) => beginnings.some((beginning) => begins(String(path), beginning)),
      });
    const close = () => {
      clearTimeout(timer);
      source?.close();
      source = null;
      setLive(false);
    };
    const open = () => {
      close();
      if (document.visibilityState === 'hidden') return;
      source = new EventSource('/api/v1/stream');
      source.addEventListener('ready', () => {
        waitMs = shortestWaitMs;
        setLive(true);
        // Whatever changed while nobody listened.
        askAgain(told);
      });
      source.addEventListener('changed', ({ data }: MessageEvent<string>) => {
        const { kinds } = JSON.parse(data) as { kinds: string[] };
        askAgain(kinds.flatMap((kind) => shownIn[kind] ?? told));
      });
      source.addEventListener('error', () => {
        setLive(false);
        // A lost connection is made again by the browser; a refusal is not. Is it the session?
        if (source?.readyState !== EventSource.CLOSED) return;
        askAgain(['/me']);
        timer = window.setTimeout(open, waitMs);
        waitMs = Math.min(waitMs * 2, longestWaitMs);
      });
    };

    open();
    document.addEventListener('visibilitychange', open);
    return () => {
      document.removeEventListener('visibilitychange', open);
      close();
    };
  }, [queries]);
}
