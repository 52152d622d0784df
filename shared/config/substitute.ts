// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is the syntax of the file
import { isScalar, type Node } from 'yaml';
import { secretKeys } from './secret-keys.js';
import type { Problem, YamlFile } from './yaml-file.js';

export interface Substituted {
  /** Values from the environment that sit in secret fields, and others that could be secrets. */
  values: string[];
  /** Scalars that could not be filled: what is said about them is said. */
  failed: Set<Node>;
  problems: Problem[];
}

/** A shorter value of a field that isn't secret (`mode: ${MODE}`) is a word: hiding it would blank it out of every log. */
const wordLength = 8;

/** Puts `${NAME}` from the environment into every text of the file; `$${` stands for `${`. */
export function substitute(file: YamlFile, env: NodeJS.ProcessEnv): Substituted {
  const result: Substituted = { values: [], failed: new Set(), problems: [] };
  for (const { path, node, offset } of file.entries()) {
    if (!isScalar(node) || typeof node.value !== 'string') continue;
    const isSecret = path.some((key) => secretKeys.has(key));
    const { text, values, faults } = fill(node.value, env, isSecret);
    node.value = text;
    result.values.push(...values.filter((value) => isSecret || value.length >= wordLength));
    if (faults.length > 0) result.failed.add(node);
    for (const fault of faults) result.problems.push({ offset, text: `${path.join('.')}: ${fault}` });
  }
  return result;
}

function fill(
  text: string,
  env: NodeJS.ProcessEnv,
  isSecret: boolean,
): { text: string; values: string[]; faults: string[] } {
  const values: string[] = [];
  const faults: string[] = [];
  const filled = text.replace(/\$\$\{|\$\{([^}]*)(\}?)/g, (whole, name: string | undefined, end: string) => {
    if (name === undefined) return '${';
    if (end === '' || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      faults.push(
        'holds ${ without the name of an environment variable behind it (write ${NAME}, or $${ for the characters themselves)',
      );
      return whole;
    }
    const value = env[name];
    if (value === undefined) faults.push(`\${${name}} is not set in the environment (set ${name})`);
    else if (value === '' && isSecret)
      faults.push(`\${${name}} is empty in the environment (set ${name} to the secret)`);
    else if (value !== '') values.push(value);
    return value ?? '';
  });
  return { text: filled, values, faults };
}
