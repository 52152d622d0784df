import { SendoffError } from '#shared/errors.js';

/** @throws SendoffError NOT_FOUND for what cannot be an id of anything */
export function assertId(what: string, id: string): void {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) throw unknownId(what, id);
}

/** @throws SendoffError NOT_FOUND */
export function found<T>(what: string, id: string, value: T | null): T {
  if (value === null) throw unknownId(what, id);
  return value;
}

function unknownId(what: string, id: string): SendoffError {
  return new SendoffError(`there is no ${what} with the id ${id}`, {
    code: 'NOT_FOUND',
    blame: 'input',
    remedy: 'the lists show the ids: sendoff events list, plans list, actions list',
  });
}
