import { useLocation, useNavigate } from '@tanstack/react-router';

/** Filters that may name somebody. */
const about = ['search', 'email', 'actor', 'eventId'] as const;
type AboutKey = (typeof about)[number];
export type About = Partial<Record<AboutKey, string>>;

declare module '@tanstack/react-router' {
  interface HistoryState {
    about?: About;
  }
}

/**
 * The filters that may name somebody. They stay in the browser's history, where a reload and the way back find them,
 * and out of the page's address, which servers and proxies write into their logs.
 */
export function useAbout(): About {
  return useLocation({ select: ({ state }) => state.about }) ?? nobody;
}

const nobody: About = {};

/** Changes the page's filters: those of its address, and those about somebody. Another question begins at its first page. */
export function useFilters(): (change: Record<string, string | undefined>) => void {
  const navigate = useNavigate();
  return (change) => {
    const isAbout = ([key]: [string, unknown]) => (about as readonly string[]).includes(key);
    const entries = Object.entries(change);
    const open = Object.fromEntries(entries.filter((entry) => !isAbout(entry)));
    const named = entries.filter(isAbout);
    navigate({
      to: '.',
      search: (all: object) => ({ ...all, ...open, before: undefined }),
      state: (former) => ({ ...former, about: { ...former.about, ...Object.fromEntries(named) } }),
      replace: true,
    });
  };
}
