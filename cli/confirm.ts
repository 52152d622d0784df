import { createInterface } from 'node:readline/promises';

/** Asks whoever sits at the terminal. Nobody is asked where nobody sits: that is a no. */
export async function isConfirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return false;
  const questions = createInterface({ input: process.stdin, output: process.stdout });
  // The end of the input is no yes, and would otherwise never be an answer.
  const closed = new Promise<string>((resolve) => questions.once('close', () => resolve('')));
  const answer = await Promise.race([questions.question(`${question} [y/N] `), closed]);
  questions.close();
  return /^y(es)?$/i.test(answer.trim());
}
