import { useNavigate } from '@tanstack/react-router';

/** Changes the page's filters, which live in its address; another question begins at its first page. */
export function useFilters(): (change: Record<string, string | undefined>) => void {
  const navigate = useNavigate();
  return (change) =>
    navigate({ to: '.', search: (all: object) => ({ ...all, ...change, before: undefined }), replace: true });
}
