/** SQLSTATE: connection exceptions, too many connections or no room, and a server that starts or stops. */
const states = /^(08|53|57P)/;
const socketErrors = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)$/;
/** Of pg and its pool, which give no code. */
const messages = /^(timeout exceeded when trying to connect|Connection terminated|Query read timeout)/;

/** Was the database not to be reached, or does it not serve just now? Then the same may work in a moment. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return states.test(code) || socketErrors.test(code) || messages.test(error.message);
}
