import { SendGridNotFound } from './errors.js';
import { walkPages } from './pages.js';

// Where a 404 is an answer: the plan lacks the feature, or the thing is gone (sendgrid.md §2, §5).

/** What `read` gives, or `instead` when SendGrid answers 404. */
export async function unlessAbsent<T, I>(instead: I, read: () => Promise<T>): Promise<T | I> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SendGridNotFound) return instead;
    throw error;
  }
}

/**
 * `walkPages` of a list that an account may not have at all: then it is empty.
 * @throws what walkPages throws, and SendGridNotFound when only a later page is not there: half a list is none
 */
export async function walkUnlessAbsent<T>(...[name, read, keyOf]: Parameters<typeof walkPages<T>>): Promise<T[]> {
  let seen = false;
  const marking: typeof read = async (page) => {
    const items = await read(page);
    seen = true;
    return items;
  };
  try {
    return await walkPages(name, marking, keyOf);
  } catch (error) {
    if (!seen && error instanceof SendGridNotFound) return [];
    throw error;
  }
}
