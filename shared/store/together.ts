/**
 * Makes one query of all questions of a kind that are asked in the same turn of the event loop, and after they were
 * asked: the answers are as fresh as if each had been asked alone. A plan asks the same of every account.
 * @param load answers in the order of the keys
 */
export function together<Db extends object, Key, Value>(
  load: (db: Db, keys: Key[]) => Promise<Value[]>,
): (db: Db, key: Key) => Promise<Value> {
  const open = new WeakMap<Db, { keys: Key[]; answers: Promise<Value[]> }>();
  return async (db, key) => {
    let batch = open.get(db);
    if (batch === undefined) {
      const keys: Key[] = [];
      const turn = new Promise<void>((resolve) => void setImmediate(resolve));
      const answers = turn.then(() => {
        open.delete(db);
        return load(db, keys);
      });
      batch = { keys, answers };
      open.set(db, batch);
    }
    const place = batch.keys.push(key) - 1;
    return (await batch.answers)[place] as Value;
  };
}
